"""`guestclock inspect`: which system is on a disk image, and how it takes the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guestclock.cli.options import at_option, output_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from guestclock.disks.record import ImageRecord
    from guestclock.disks.worker import Inspector

UNREAD = 3
PRINTED = ("table", "json", "csv")
CONTAINERS = ("raw", "qcow2", "vmdk", "vhd", "vpc", "vhdx", "vdi")


@click.command()
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "--follow-backing", is_flag=True, help="Also read the files that an image says it rests on."
)
@click.option(
    "--allow-dir",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="Where such files may be beside the image's own folder.",
)
@click.option("--os-cloud", metavar="NAME", help="The cloud of clouds.yaml that glance:ID is in.")
@click.option(
    "--max-read",
    metavar="SIZE",
    default="256M",
    show_default=True,
    help="How much may be read and decompressed of one image, such as 64M.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    default=20.0,
    show_default=True,
    help="How long reading one image may take.",
)
@at_option("For which moment the zone's rules on the disk are read.")
@click.option(
    "-f",
    "--format",
    "forms",
    type=click.Choice([*PRINTED, *CONTAINERS]),
    multiple=True,
    help="How to print: table (the default), json or csv; and, given once more, what the images "
    "are, where you know it: a guest can write another format's header into its raw disk.",
)
@output_option
def inspect(
    images: tuple[str, ...],
    follow_backing: bool,
    allow_dir: tuple[str, ...],
    os_cloud: str | None,
    max_read: str,
    timeout: float,
    at: datetime,
    forms: tuple[str, ...],
    output: str | None,
) -> int:
    """Which system is on a disk image, and how it takes the clock.

    Reads raw, qcow2, vmdk, vhd, vhdx and vdi images and block devices, read-only, without root
    and without mounting anything, in a process that can reach nothing else. IMAGE is a file, a
    folder of images, https://... (of a server that gives ranges) or glance:ID.

    Exit codes: 0 each image gave an answer (encrypted and "no system" are answers), 2 usage,
    3 one could not be read.

    \b
    guestclock inspect win2022.qcow2
    guestclock inspect --format raw /dev/vg0/desk7 -f json
    guestclock inspect /var/lib/libvirt/images -f json -o disks.json
    guestclock inspect glance:6f0c1a5e-... --os-cloud prod
    """
    from guestclock.cli.images import images_in, progress, size_in
    from guestclock.disks.budget import Limits
    from guestclock.disks.worker import Inspector

    form = _last_of(forms, PRINTED) or "table"
    container = _last_of(forms, CONTAINERS)
    limits = Limits(max_read=size_in(max_read), timeout=timeout)
    given = images_in(images)
    bad = False

    def records(inspector: Inspector) -> Iterator[ImageRecord]:
        nonlocal bad
        for image in progress(given):
            one = _inspected(inspector, image, container, os_cloud)
            bad = bad or fails(one)
            yield one

    with Inspector(limits, follow=follow_backing, allowed=allow_dir, at=int(at.timestamp())) as one:
        # Imported while the process that reads makes itself ready.
        from guestclock.reports.output import writing

        with writing(output) as stream:
            _printer(form)(records(one), stream)
        for note in one.notes:
            click.echo(f"note: {note}", err=True)
    return UNREAD if bad else 0


def _last_of(given: tuple[str, ...], words: tuple[str, ...]) -> str | None:
    return next((one for one in reversed(given) if one in words), None)


def _inspected(
    inspector: Inspector, image: str, form: str | None, cloud: str | None
) -> ImageRecord:
    if image.startswith("glance:"):
        from guestclock.cli.glance_image import glance_source

        return inspector.inspect_source(glance_source(image, cloud), image, form)
    return inspector.inspect(image, form)


def fails(image: ImageRecord) -> bool:
    """Whether an image counts as one that could not be read."""
    from guestclock.disks.problem import FAILURES

    return image["unknown"] in {reason.value for reason in FAILURES}


def _printer(form: str) -> Printer:
    if form == "json":
        from guestclock.reports.inspection.json import print_json

        return print_json
    if form == "csv":
        from guestclock.reports.inspection.csv import print_csv

        return print_csv
    from guestclock.reports.inspection.text import print_text

    return print_text


if TYPE_CHECKING:
    from typing import Protocol, TextIO

    class Printer(Protocol):
        """How records are written."""

        def __call__(self, records: Iterable[ImageRecord], stream: TextIO) -> None:
            """Writes all records, each as it comes."""
            ...
