"""A folder of definitions for the tests of files: what is in it, and what is read of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from guestclock.machine import Machine
from guestclock.platforms.interface import Read
from guestclock.platforms.libvirt.files import DomainFiles
from guestclock.platforms.surroundings import Surroundings

Write = Callable[[str, str | bytes], Path]

GOOD = "<domain type='kvm'><name>{0}</name><uuid>00000000-0000-4000-8000-{1:012}</uuid></domain>"


def collect(*paths: Path | str) -> list[Read]:
    return list(DomainFiles(map(str, paths), Surroundings()).machines())


def names(collected: list[Read]) -> list[str]:
    return [one.identity.name if isinstance(one, Machine) else one.reason for one in collected]
