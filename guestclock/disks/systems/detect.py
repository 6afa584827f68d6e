"""All systems in a file system: which folders are roots, and whose each of them is."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import cast

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import FileSystem
from guestclock.disks.found import System
from guestclock.disks.problem import DiskProblem, OverLimit
from guestclock.disks.systems.interface import Detect, Moment
from guestclock.disks.systems.roots import bases, tree_at

# What only a system of that family has, and the module that reads it. Some of the others have an
# os-release too, so Linux comes after them; DOS has nothing that Windows has not, so it is last.
_MARKERS = (
    ("Windows/System32/config", "windows"),
    ("WINDOWS/system32/config", "windows"),
    ("WINNT/system32/config", "windows"),
    ("bin/freebsd-version", "freebsd"),
    ("libexec/ld-elf.so.1", "freebsd"),
    ("bsd", "openbsd"),
    ("etc/signify", "openbsd"),
    ("libexec/ld.elf_so", "netbsd"),
    ("netbsd", "netbsd"),
    ("etc/driver_aliases", "other"),
    ("system/build.prop", "other"),
    ("System/Library/CoreServices/SystemVersion.plist", "other"),
    ("etc", "linux"),
    ("nix/var/nix/profiles/system", "linux"),
    ("COMMAND.COM", "other"),
)


def systems(files: FileSystem, budget: Budget, at: Moment) -> Iterator[tuple[str, System]]:
    """Each system with the folder that is its root, empty for the file system's own.

    A root that cannot be read does not hide the others: its DiskProblem is raised at the end.
    """
    failed: DiskProblem | None = None
    found = False
    for base in bases(files, budget):
        # The custom places of subvolumes are looked at only where the root itself has no system.
        if base.fallback and found:
            continue
        try:
            for system in _systems_at(base.path, files, budget, at):
                found = True
                if base.remark:
                    system.warn("several-deployments", base.remark)
                yield base.path, system
        except OverLimit:
            raise
        except DiskProblem as problem:
            failed = failed or problem
    if failed is not None:
        raise failed


def _systems_at(base: str, files: FileSystem, budget: Budget, at: Moment) -> Iterator[System]:
    tree = tree_at(files, budget, base)
    tried = set()
    for marker, family in _MARKERS:
        if family in tried or tree.find(marker) is None:
            continue
        tried.add(family)
        module = import_module(f"guestclock.disks.systems.{family}")
        found = False
        for system in cast(Detect, module.detect)(tree, budget, at):
            found = True
            yield system
        # A disk may hold Windows and something else in one file system, a Unix may not.
        if found:
            return
