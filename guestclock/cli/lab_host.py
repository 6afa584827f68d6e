"""`guestclock lab host`: where servers run, each host in a zone of its own."""

from __future__ import annotations

import click

from guestclock.cli.lab_context import LabContext, pass_lab
from guestclock.cli.lab_output import output_options, show, show_list


@click.group()
def host() -> None:
    """Hosts: where servers run; a host's zone is what its /etc/localtime says."""


@host.command()
@click.argument("name")
@click.option("--zone", default="UTC", show_default=True, help="Such as Asia/Shanghai.")
@output_options
@pass_lab
def create(context: LabContext, name: str, zone: str, form: str, columns: tuple[str, ...]) -> None:
    """Create host NAME. A new lab has host1 in UTC."""
    with context.opened() as lab:
        made = lab.hosts.create(name, zone)
    show({"name": made.name, "zone": made.zone}, form, columns)


@host.command("list")
@output_options
@pass_lab
def list_(context: LabContext, form: str, columns: tuple[str, ...]) -> None:
    """List all hosts."""
    with context.existing() as lab:
        hosts = lab.hosts.list()
    rows = [{"Name": one.name, "Zone": one.zone} for one in hosts]
    show_list(rows, ("Name", "Zone"), form, columns)


@host.command("set")
@click.argument("name", metavar="HOST")
@click.option("--zone", required=True, help="Counts from each machine's next cold start.")
@pass_lab
def set_(context: LabContext, name: str, zone: str) -> None:
    """Give HOST another zone."""
    with context.opened() as lab:
        lab.hosts.set_zone(name, zone)


@host.command()
@click.argument("name", metavar="HOST")
@pass_lab
def delete(context: LabContext, name: str) -> None:
    """Delete HOST, which must have no servers."""
    with context.opened() as lab:
        lab.hosts.delete(name)
