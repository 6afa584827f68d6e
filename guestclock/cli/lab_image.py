"""`guestclock lab image`: bootable files and their properties."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from guestclock.cli.lab_context import LabContext, pass_lab, property_option
from guestclock.cli.lab_output import output_options, show, show_list

if TYPE_CHECKING:
    from guestclock.lab.cloud.records import Image


@click.group()
def image() -> None:
    """Images: a bootable file and properties such as os_type."""


@image.command()
@click.argument("name")
@property_option
@click.option("--file", "file", type=click.Path(exists=True, dir_okay=False), help="A raw disk.")
@click.option("--guest", type=click.Choice(["utc", "windows"]), help="A small guest's disk.")
@click.option("--universal", is_flag=True, help="With RealTimeIsUniversal in its registry.")
@click.option("--deaf", is_flag=True, help="It ignores the power button.")
@click.option("--zone", metavar="ZONE", help="The small guest's zone, such as Asia/Shanghai.")
@click.option(
    "--bias",
    type=click.IntRange(-1440, 1440),
    metavar="MINUTES",
    help="The bias it has saved: UTC minus local time; by default its zone's at the lab's time.",
)
@output_options
@pass_lab
def create(
    context: LabContext,
    name: str,
    properties: dict[str, str],
    file: str | None,
    guest: Literal["utc", "windows"] | None,
    universal: bool,
    deaf: bool,
    zone: str | None,
    bias: int | None,
    form: str,
    columns: tuple[str, ...],
) -> None:
    """Create image NAME of a file, or of a small guest.

    The small guests are real systems of a few kilobytes: utc takes its RTC for UTC as Linux
    does, windows takes it for local time by Windows' own rule.
    """
    if (file is None) == (guest is None):
        raise click.UsageError("give either --file or --guest")
    if file is not None and (universal or deaf or zone is not None or bias is not None):
        raise click.UsageError("--universal, --deaf, --zone and --bias are about --guest")
    with context.opened() as lab:
        if file is not None:
            made = lab.images.create_from_file(name, Path(file), properties)
        else:
            assert guest is not None
            setup = lab.images.guest_setup(guest, zone, bias, universal=universal, deaf=deaf)
            made = lab.images.create_guest(name, setup, zone, properties)
    show(fields(made), form, columns)


@image.command("list")
@output_options
@pass_lab
def list_(context: LabContext, form: str, columns: tuple[str, ...]) -> None:
    """List all images."""
    with context.existing() as lab:
        found = lab.images.list()
    rows = [
        {"ID": one.uuid, "Name": one.name, "Status": one.status, "Properties": one.properties}
        for one in found
    ]
    show_list(rows, ("ID", "Name", "Status", "Properties"), form, columns)


@image.command("show")
@click.argument("name", metavar="IMAGE")
@output_options
@pass_lab
def show_(context: LabContext, name: str, form: str, columns: tuple[str, ...]) -> None:
    """Show IMAGE, by name or id."""
    with context.existing() as lab:
        found = lab.images.show(name)
    show(fields(found), form, columns)


@image.command("set")
@click.argument("name", metavar="IMAGE")
@property_option
@pass_lab
def set_(context: LabContext, name: str, properties: dict[str, str]) -> None:
    """Set properties of IMAGE.

    Servers that exist are not touched: Nova reads os_type at creation and at rebuild alone.
    """
    with context.opened() as lab:
        lab.images.set(name, properties)


@image.command()
@click.argument("name", metavar="IMAGE")
@click.option(
    "--property", "keys", multiple=True, metavar="KEY", required=True, help="May be repeated."
)
@pass_lab
def unset(context: LabContext, name: str, keys: tuple[str, ...]) -> None:
    """Take properties off IMAGE."""
    with context.opened() as lab:
        lab.images.unset(name, keys)


@image.command()
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@pass_lab
def delete(context: LabContext, names: tuple[str, ...]) -> None:
    """Delete images; servers made of them keep their disks."""
    with context.opened() as lab:
        for name in names:
            lab.images.delete(name)


def fields(image: Image) -> dict[str, object]:
    """An image as `show` prints it."""
    return {
        "created_at": image.created,
        "id": image.uuid,
        "name": image.name,
        "properties": image.properties,
        "status": image.status,
        "guest_zone": image.zone,
    }
