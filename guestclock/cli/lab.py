"""`guestclock lab`: a one-machine cloud with the words of the OpenStack client."""

from __future__ import annotations

from typing import Literal

import click

from guestclock.cli.lab_context import LabContext, pass_lab, tell
from guestclock.cli.lab_host import host
from guestclock.cli.lab_image import image
from guestclock.cli.lab_output import output_options, show
from guestclock.cli.lab_server import server
from guestclock.cli.lab_time import time


@click.group()
@click.option(
    "--lab",
    "folder",
    type=click.Path(file_okay=False),
    help="The lab's folder; by default guestclock/lab in the user's state folder.",
)
@click.option(
    "--hypervisor",
    type=click.Choice(["libvirt", "qemu"]),
    help="What runs a new lab's hosts; by default libvirt where it works.",
)
@click.pass_context
def lab(
    ctx: click.Context, folder: str | None, hypervisor: Literal["libvirt", "qemu"] | None
) -> None:
    """A small real cloud to try a cure in.

    Images, servers and hosts with the words of the OpenStack client and the rules of Nova; real
    machines on private hosts of the lab's own, emulated, so that any container will do. Commands
    that were killed are finished by the next one.
    """
    ctx.obj = LabContext(folder, hypervisor)


lab.add_command(image)
lab.add_command(server)
lab.add_command(host)
lab.add_command(time)


@lab.command()
@click.argument("name", metavar="SERVER")
@output_options
@pass_lab
def clock(context: LabContext, name: str, form: str, columns: tuple[str, ...]) -> None:
    """What the RTC of SERVER and its guest say now, and how far that is from true time.

    All of it is read from the running machine; the error is in seconds, positive = ahead.
    """
    with context.existing() as opened:
        reading = opened.clock(name)
    guest = reading.guest
    fields = {
        "server": name,
        "rtc": reading.rtc,
        "guest_utc": guest and guest.utc,
        "guest_local": guest and guest.local,
        "guest_bias_minutes": guest and guest.bias_minutes,
        "true_utc": reading.true_utc,
        "true_local": reading.true_local,
        "error_seconds": reading.error,
    }
    show(fields, form, columns)
    if reading.silence is not None:
        tell(reading.silence)


@lab.command()
@pass_lab
def down(context: LabContext) -> None:
    """End all processes of the lab; its servers are stopped, and all state stays."""
    with context.existing() as opened:
        opened.down()


@lab.command()
@pass_lab
def destroy(context: LabContext) -> None:
    """End all processes of the lab and remove it."""
    from guestclock.lab.cloud.problems import NoLab

    try:
        with context.existing() as opened:
            opened.destroy()
    except NoLab as error:
        if not error.finished:
            raise
