"""The small guest's disk: its program, its setup, and its zone.

guest.asm says what lies where. Only the sector of the setup is ever written by the guest, and
within it only the bias, as Windows writes ActiveTimeBias to its registry.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from guestclock.lab.errors import LabError
from guestclock.lab.guests.build import guest_image
from guestclock.zones import next_transition, offset_at

SECTOR = 512
DISK_SIZE = 128 * SECTOR
_SETUP = 8 * SECTOR
_TABLE = 9 * SECTOR
_ROW = struct.Struct("<Ih")
MOST_ROWS = 8 * SECTOR // _ROW.size

_HEADER = struct.Struct("<4sBxhH")
_MAGIC = b"GCLK"
_WINDOWS, _UNIVERSAL, _DEAF = 1, 2, 4

Kind = Literal["utc", "windows"]


@dataclass(frozen=True, slots=True)
class GuestSetup:
    """What makes one small guest differ from another.

    `bias_minutes` is UTC minus local time, positive west, as Windows' ActiveTimeBias: what the
    guest saved last. `zone_table` has rows (first UTC second since 1970, bias in minutes), rising;
    the first row's bias holds before it too, and an empty table leaves `bias_minutes` in force for
    ever. `universal` is Windows' RealTimeIsUniversal. A `deaf` guest ignores the power button.
    """

    kind: Kind
    universal: bool = False
    bias_minutes: int = 0
    deaf: bool = False
    zone_table: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if self.universal and self.kind != "windows":
            raise ValueError("only a windows guest can have the universal flag")
        if len(self.zone_table) > MOST_ROWS:
            raise ValueError(f"a zone table has at most {MOST_ROWS} rows: name fewer years")
        epochs = [epoch for epoch, _ in self.zone_table]
        if any(later <= earlier for earlier, later in pairwise(epochs)):
            raise ValueError("the rows of a zone table must rise")


def zone_table_of(zone: ZoneInfo, first_year: int, last_year: int) -> tuple[tuple[int, int], ...]:
    """The zone table of `zone` from 1 January of `first_year` to 31 December of `last_year` (UTC).

    Biases are whole minutes, as Windows keeps them; offsets of odd seconds (none since 1972) are
    rounded. Changes that leave the bias alone give no row. Raises ValueError outside 1970 to 2105,
    which is what 32 bits hold.
    """
    if not 1970 <= first_year <= last_year <= 2105:
        raise ValueError("a zone table holds years from 1970 to 2105")
    at = datetime(first_year, 1, 1, tzinfo=UTC)
    until = datetime(last_year + 1, 1, 1, tzinfo=UTC)
    rows = [(0, _bias(offset_at(zone, at)))]
    while change := next_transition(zone, at, until):
        at = change.at
        bias = _bias(change.after)
        if bias != rows[-1][1]:
            rows.append((int(at.timestamp()), bias))
    return tuple(rows)


def disk_image(setup: GuestSetup) -> bytes:
    """The whole disk of a guest with that setup."""
    flags = (
        (_WINDOWS if setup.kind == "windows" else 0)
        | (_UNIVERSAL if setup.universal else 0)
        | (_DEAF if setup.deaf else 0)
    )
    image = bytearray(DISK_SIZE)
    program = guest_image()
    image[: len(program)] = program
    _HEADER.pack_into(image, _SETUP, _MAGIC, flags, setup.bias_minutes, len(setup.zone_table))
    for number, row in enumerate(setup.zone_table):
        _ROW.pack_into(image, _TABLE + number * _ROW.size, *row)
    return bytes(image)


def write_disk(path: Path, setup: GuestSetup) -> None:
    """Write a fresh raw disk; an older file of that name is replaced at one blow."""
    image = disk_image(setup)
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(image)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def read_setup(path: Path) -> GuestSetup:
    """What the disk says now, with the bias the guest saved last.

    Raises LabError if it is no disk of a small guest, OSError if it cannot be read.
    """
    with path.open("rb") as file:
        image = file.read(DISK_SIZE)
    if len(image) < _TABLE or image[_SETUP : _SETUP + len(_MAGIC)] != _MAGIC:
        raise LabError(f"{path} is not the disk of a small guest")
    _, flags, bias, rows = _HEADER.unpack_from(image, _SETUP)
    if len(image) < _TABLE + rows * _ROW.size or rows > MOST_ROWS:
        raise LabError(f"the zone table on {path} is cut short")
    table = image[_TABLE : _TABLE + rows * _ROW.size]
    return GuestSetup(
        kind="windows" if flags & _WINDOWS else "utc",
        universal=bool(flags & _UNIVERSAL),
        bias_minutes=bias,
        deaf=bool(flags & _DEAF),
        zone_table=tuple((epoch, bias) for epoch, bias in _ROW.iter_unpack(table)),
    )


def _bias(offset: int) -> int:
    """Minutes of bias (positive west) for an offset in seconds (positive east)."""
    return -round(offset / 60)
