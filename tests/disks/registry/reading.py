"""What the tests of hives share: opening bytes, and all that a hive says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.registry.hive import Hive, open_hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.source import Memory
from tests.disks.builders import hive as build

Told: TypeAlias = dict[str, list[tuple[str, int, bytes]]]
"""The values of each key by its path: names, types and data."""


def opened(data: bytes, logs: Sequence[bytes] = (), limits: Limits | None = None) -> Hive:
    return open_hive(Memory(data), [Memory(one) for one in logs], Budget(limits))


def told(key: Key, path: str = "") -> Told:
    """All of a hive that is read."""
    found = {path: [(one.name, one.type, one.data) for one in key.values()]}
    for below in key.keys():  # noqa: SIM118
        found |= told(below, f"{path}\\{below.name}")
    return found


def meant(key: build.Key, path: str = "") -> Told:
    """All of a hive that was to be written."""
    found = {path: [(one.name, one.type, one.data) for one in key.values]}
    for below in key.keys:
        found |= meant(below, f"{path}\\{below.name}")
    return found


def bias(hive: Hive) -> int | None:
    """The number that the tests of logs change."""
    key = hive.key("Set\\Zone")
    value = key.value("Bias") if key else None
    return value.signed() if value else None


def zone(number: int, filling: bytes = b"") -> bytes:
    """A hive with that number."""
    values = [build.dword("Bias", number), build.binary("Filling", filling)]
    return build.make_hive(build.tree({"Set\\Zone": values}))
