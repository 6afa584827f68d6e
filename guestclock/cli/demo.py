"""`guestclock demo`: a machine loses its time, and gets it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from guestclock.lab.demo.story import Shot


@click.command()
@click.option(
    "--report", type=click.Path(dir_okay=False, writable=True), help="Write an HTML report here."
)
@click.option(
    "--hypervisor",
    type=click.Choice(["libvirt", "qemu"]),
    help="What runs the machines; by default libvirt where it works.",
)
def demo(report: str | None, hypervisor: Literal["libvirt", "qemu"] | None) -> int:
    """Watch a real machine lose its time and get it back.

    Six small real guests in a lab of their own, on a host in Shanghai: set right by their users,
    rebooted in every way, their images corrected, and cured. Every figure is read from a running
    guest. Exit code 1 if one of them is not right in the end.
    """
    from pathlib import Path
    from time import monotonic

    from guestclock.lab.demo.page import page
    from guestclock.lab.demo.stagehand import temporary_lab
    from guestclock.lab.demo.stdout import print_scene, print_title, print_verdicts
    from guestclock.lab.demo.story import play

    begun = monotonic()
    scenes: list[list[Shot]] = []
    with temporary_lab(hypervisor, _tell) as lab:
        print_title()
        for number, shots in enumerate(play(lab), 1):
            print_scene(number, shots)
            scenes.append(shots)
    print_verdicts(scenes)
    if report is not None:
        Path(report).write_text(page(scenes, monotonic() - begun), encoding="utf-8")
        click.echo(f"guestclock demo: the report is in {report}", err=True)
    return int(not all(shot.right for shot in scenes[-1]))


def _tell(line: str) -> None:
    click.echo(f"guestclock demo: {line}", err=True)
