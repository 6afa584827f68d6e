"""`guestclock lab server`: what Nova offers, and what a server's user does inside."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from guestclock.cli.lab_context import LabContext, pass_lab
from guestclock.cli.lab_image import fields as image_fields
from guestclock.cli.lab_output import output_options, show, show_list

if TYPE_CHECKING:
    from guestclock.lab.cloud.servers import ServerView

_SERVER = click.argument("name", metavar="SERVER")


@click.group()
def server() -> None:
    """Servers: real machines, made of images."""


@server.command()
@click.argument("name")
@click.option("--image", required=True, help="The image to boot, by name or id.")
@click.option("--host", help="The host it runs on; by default the oldest.")
@output_options
@pass_lab
def create(
    context: LabContext,
    name: str,
    image: str,
    host: str | None,
    form: str,
    columns: tuple[str, ...],
) -> None:
    """Create server NAME and start it. It takes os_type from the image now."""
    with context.opened() as lab:
        made = lab.servers.create(name, image, host)
        view = lab.servers.show(made.uuid)
    show(fields(view), form, columns)


@server.command("list")
@output_options
@pass_lab
def list_(context: LabContext, form: str, columns: tuple[str, ...]) -> None:
    """List all servers."""
    with context.existing() as lab:
        views = lab.servers.list()
    rows = [
        {
            "ID": view.server.uuid,
            "Name": view.server.name,
            "Status": view.status,
            "Image": _image_of(view),
            "Host": view.server.host.name,
        }
        for view in views
    ]
    show_list(rows, ("ID", "Name", "Status", "Image", "Host"), form, columns)


@server.command("show")
@_SERVER
@output_options
@pass_lab
def show_(context: LabContext, name: str, form: str, columns: tuple[str, ...]) -> None:
    """Show SERVER, by name or id, with the os_type that no API of Nova's shows."""
    with context.existing() as lab:
        view = lab.servers.show(name)
    show(fields(view), form, columns)


@server.command()
@_SERVER
@click.option("--soft", "hard", flag_value=False, type=bool, default=False, help="The default.")
@click.option("--hard", "hard", flag_value=True, type=bool, help="Pull the plug.")
@pass_lab
def reboot(context: LabContext, name: str, hard: bool) -> None:
    """Reboot SERVER: both ways start a new process, the hard one with a new definition.

    Soft: the power button, 3 seconds, then the same definition again. A guest that does not heed
    the button gets a hard reboot.
    """
    with context.opened() as lab:
        lab.servers.reboot(name, hard=hard)


@server.command()
@_SERVER
@pass_lab
def stop(context: LabContext, name: str) -> None:
    """Shut SERVER down."""
    with context.opened() as lab:
        lab.servers.stop(name)


@server.command()
@_SERVER
@pass_lab
def start(context: LabContext, name: str) -> None:
    """Start SERVER, by a definition written anew."""
    with context.opened() as lab:
        lab.servers.start(name)


@server.command()
@_SERVER
@click.option("--image", help="The image to rebuild from; by default its own.")
@output_options
@pass_lab
def rebuild(
    context: LabContext, name: str, image: str | None, form: str, columns: tuple[str, ...]
) -> None:
    """Replace the disk of SERVER by its image's; it takes os_type from the image now."""
    with context.opened() as lab:
        lab.servers.rebuild(name, image)
        view = lab.servers.show(name)
    show(fields(view), form, columns)


@server.command()
@_SERVER
@click.option("--name", "image_name", help="The image's name; by default the server's.")
@output_options
@pass_lab
def snapshot(
    context: LabContext, name: str, image_name: str | None, form: str, columns: tuple[str, ...]
) -> None:
    """Make an image of SERVER, with its properties as Nova writes them."""
    with context.opened() as lab:
        made = lab.servers.snapshot(name, image_name or name)
    show(image_fields(made), form, columns)


@server.command()
@_SERVER
@pass_lab
def pause(context: LabContext, name: str) -> None:
    """Stop the virtual CPUs of SERVER; its RTC goes on."""
    with context.opened() as lab:
        lab.servers.pause(name)


@server.command()
@_SERVER
@pass_lab
def unpause(context: LabContext, name: str) -> None:
    """Let the virtual CPUs of SERVER run on."""
    with context.opened() as lab:
        lab.servers.unpause(name)


@server.command()
@_SERVER
@click.option("--live", is_flag=True, help="As it runs; definition and RTC go along.")
@click.option("--host", help="The host to move to; by default the next younger one.")
@pass_lab
def migrate(context: LabContext, name: str, live: bool, host: str | None) -> None:
    """Move SERVER to another host; cold, its definition is written anew over there."""
    with context.opened() as lab:
        lab.servers.migrate(name, host, live=live)


@server.command()
@click.argument("names", metavar="SERVER...", nargs=-1, required=True)
@pass_lab
def delete(context: LabContext, names: tuple[str, ...]) -> None:
    """Delete servers and their disks."""
    with context.opened() as lab:
        for name in names:
            lab.servers.delete(name)


@server.command("set-time")
@_SERVER
@click.argument("local", metavar="LOCALTIME", type=click.DateTime(["%Y-%m-%dT%H:%M:%S"]))
@pass_lab
def set_time(context: LabContext, name: str, local: datetime) -> None:
    """Set the clock of the guest, as its user would: LOCALTIME as 2026-11-23T19:00:00."""
    with context.opened() as lab:
        lab.servers.set_time(name, local)


@server.command("guest-reboot")
@_SERVER
@pass_lab
def guest_reboot(context: LabContext, name: str) -> None:
    """Reboot SERVER from inside: a reset in the same process, which keeps its RTC."""
    with context.opened() as lab:
        lab.servers.guest_reboot(name)


@server.command("set-registry")
@_SERVER
@click.option(
    "--universal/--no-universal", required=True, help="RealTimeIsUniversal: the RTC has UTC."
)
@pass_lab
def set_registry(context: LabContext, name: str, universal: bool) -> None:
    """Change the registry of a stopped small Windows guest, which counts from its next boot."""
    with context.opened() as lab:
        lab.servers.set_universal(name, universal)


def fields(view: ServerView) -> dict[str, object]:
    """A server as `show` prints it."""
    one = view.server
    return {
        "OS-EXT-SRV-ATTR:host": one.host.name,
        "OS-EXT-SRV-ATTR:instance_name": one.domain,
        "OS-EXT-STS:task_state": view.task_state,
        "OS-EXT-STS:vm_state": one.vm_state,
        "created": one.created,
        "fault": one.fault,
        "id": one.uuid,
        "image": _image_of(view),
        "name": one.name,
        "os_type": one.os_type,
        "status": view.status,
    }


def _image_of(view: ServerView) -> str:
    name = view.image.name if view.image else "deleted"
    return f"{name} ({view.server.image_uuid})"
