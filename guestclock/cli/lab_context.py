"""What all commands of `guestclock lab` share: which lab they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from guestclock.lab.cloud import Lab


@dataclass(frozen=True, slots=True)
class LabContext:
    """The group's own options."""

    folder: str | None
    hypervisor: Literal["libvirt", "qemu"] | None

    @contextmanager
    def opened(self, *, must_exist: bool = False) -> Iterator[Lab]:
        """Open the lab, made if need be. What its user should know goes to standard error."""
        from guestclock.lab.cloud import Lab
        from guestclock.lab.cloud.places import default_folder
        from guestclock.lab.cloud.problems import naming

        folder = Path(self.folder) if self.folder else default_folder()
        with (
            naming(self.folder),
            Lab(folder, self.hypervisor, must_exist=must_exist, tell=tell) as lab,
        ):
            yield lab

    def existing(self) -> AbstractContextManager[Lab]:
        """Open a lab that is there, to read or to end it. Raises NoLab, and writes nothing."""
        return self.opened(must_exist=True)


def tell(line: str) -> None:
    """Say what is no data, on standard error."""
    click.echo(f"guestclock lab: {line}", err=True)


pass_lab = click.make_pass_decorator(LabContext)


def parse_property(
    ctx: click.Context, param: click.Parameter, given: tuple[str, ...]
) -> dict[str, str]:
    """Read KEY=VALUE options; a key given twice counts as given last."""
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", ctx, param)
        pairs[key] = value
    return pairs


property_option = click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="KEY=VALUE",
    callback=parse_property,
    help="A property, such as os_type=windows; may be repeated.",
)
