"""`openstack clock image list`: which os_type each image has, and which it should have."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from guestclock.osc.command import Lister

if TYPE_CHECKING:
    from guestclock.osc.cells import Cells
    from guestclock.platforms.openstack.records import Image

COLUMNS = ("ID", "Name", "OS Type", "System", "Should Be", "Clock")


class ListImages(Lister):
    """List images with the clock that servers made of them get

    Clock is "right", or the rule that says what is wrong, such as CLK601; the system in an image
    is what its other properties and its name say, as nobody looks inside.
    """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[tuple[str, ...], Iterator[tuple[str | None, ...]]]:
        """The columns, and a row for each image."""
        from guestclock.osc.cells import Cells

        return COLUMNS, self._rows(Cells(parsed_args.formatter))

    def _rows(self, cells: Cells) -> Iterator[tuple[str | None, ...]]:
        from guestclock.osc.options import name_of
        from guestclock.platforms.openstack.api import Api

        api = Api(name_of(self.region), self.region)
        api.connect()
        for image in api.images():
            yield row_of(image, cells)


def row_of(image: Image, cells: Cells) -> tuple[str | None, ...]:
    """An image's row; what its os_type should be is unknown where its system is."""
    from guestclock.evidence import value_of
    from guestclock.platforms.openstack.findings.fault import WINDOWS, fault_of, label
    from guestclock.platforms.openstack.kinds import kind_of_image

    system = value_of(kind_of_image(image.name, image.properties))
    if system is None:
        fault, should = None, None
    else:
        fault = fault_of(image.os_type, system)
        should = image.os_type if fault is None else WINDOWS if system == WINDOWS else "linux"
    return (
        cells.text(image.id),
        cells.text(image.name),
        cells.maybe(image.os_type),
        cells.maybe(label(system) if system else None),
        cells.maybe(should),
        fault or ("right" if system else "unknown"),
    )
