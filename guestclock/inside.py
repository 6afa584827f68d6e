"""Machines and images with what their own disks say: it counts for more than metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TypeVar

from guestclock.disk import Disk, DiskFile
from guestclock.disks.guest import disk_of
from guestclock.disks.problem import FAILURES
from guestclock.disks.record import ImageRecord
from guestclock.evidence import Unknown
from guestclock.guest import Guest
from guestclock.machine import Facts, Identity, Machine
from guestclock.platforms.interface import Collected, Examined, Managed, Unread
from guestclock.zones import Zones

Collects = TypeVar("Collects", bound=Collected)
_FAILED = {reason.value for reason in FAILURES}
_REMEMBERED = 256
_UNTOLD = Guest("unknown")


class Inside:
    """Reads the disks of machines, by their paths or as the user named them."""

    def __init__(
        self,
        read: Callable[[str, str | None], ImageRecord],
        zones: Zones,
        named: Mapping[str, str],
    ) -> None:
        """`read` inspects an image of a known or unknown format; `named` are images by machine."""
        self._read = lru_cache(maxsize=_REMEMBERED)(read)
        self._zones = zones
        self._named = named
        self.used: set[str] = set()

    def machines(self, collected: Iterable[Collects]) -> Iterator[Collects | Unread]:
        """The same, each machine with its guest as its disk has it; an unread disk comes first."""
        for one in collected:
            if isinstance(one, Machine):
                yield from self._unread(one)
                yield self.machine(one)  # type: ignore[misc]
            elif isinstance(one, Managed):
                yield from self._unread(one.machine)
                yield replace(one, machine=self.machine(one.machine))
            elif isinstance(one, Examined):
                yield from self._object(one)  # type: ignore[misc]
            else:
                yield one

    def _object(self, one: Examined) -> Iterator[Examined | Unread]:
        """An image of a cloud: judged by the system in it, where the user named its file."""
        path = self._named_for(one.identity) if one.inside is not None else None
        if path is None or one.inside is None:
            yield one
            return
        image = self._read(path, None)
        if image["unknown"] in _FAILED:
            yield Unread(path, f"{image['unknown']}: {image['detail']}")
        system = disk_of(image, _UNTOLD, self._zones).system
        if system is None or isinstance(system.guest.kind, Unknown):
            yield one
        else:
            yield replace(one, findings=one.inside(system.guest.kind))

    def machine(self, machine: Machine) -> Machine:
        """The machine with what its system disk says, itself where it has no disk to read."""
        told = machine.facts.guest
        disk = self._disk(machine, told)
        if disk is None:
            return machine
        return replace(machine, facts=with_disk(machine.facts, disk))

    def _disk(self, machine: Machine, told: Guest) -> Disk | None:
        """The first of its disks that has a system, else the first that was read."""
        first: ImageRecord | None = None
        for file in self._files(machine):
            image = self._read(file.path, file.form or None)
            if image["systems"]:
                return disk_of(image, told, self._zones)
            first = first or image
        return None if first is None else disk_of(first, told, self._zones)

    def _unread(self, machine: Machine) -> Iterator[Unread]:
        for file in self._files(machine):
            image = self._read(file.path, file.form or None)
            if image["unknown"] in _FAILED:
                yield Unread(file.path, f"{image['unknown']}: {image['detail']}")

    def _files(self, machine: Machine) -> tuple[DiskFile, ...]:
        path = self._named_for(machine.identity)
        return machine.disks if path is None else (DiskFile(path),)

    def _named_for(self, identity: Identity) -> str | None:
        for name in (identity.id, identity.name):
            if name in self._named:
                self.used.add(name)
                return self._named[name]
        return None


def with_disk(facts: Facts, disk: Disk) -> Facts:
    """Facts in which the guest is the one on the disk, where there is exactly one.

    What the disk does not say stays as it was told.
    """
    system = disk.system
    if system is None:
        return replace(facts, disk=disk)
    guest, told = system.guest, disk.told
    if isinstance(guest.kind, Unknown):
        guest = replace(guest, system=told.system, kind=told.kind)
    if isinstance(guest.zone, Unknown):
        guest = replace(guest, zone=told.zone)
    if isinstance(guest.bias_minutes, Unknown) and not isinstance(told.bias_minutes, Unknown):
        guest = replace(guest, bias_minutes=told.bias_minutes)
    return replace(facts, guest=guest, disk=disk)
