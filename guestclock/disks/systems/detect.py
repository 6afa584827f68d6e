"""All systems in a file system: which folders are roots, and whose each of them is."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import cast

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import FileSystem
from guestclock.disks.found import System
from guestclock.disks.systems.interface import Detect, Moment
from guestclock.disks.systems.roots import bases
from guestclock.disks.tree import Tree

# What only a system of that family has, and the module that reads it; the first that is there.
_MARKERS = (
    ("Windows/System32/config", "windows"),
    ("WINNT/System32/config", "windows"),
    ("bin/freebsd-version", "freebsd"),
    ("etc/os-release", "linux"),
    ("usr/lib/os-release", "linux"),
    ("etc/debian_version", "linux"),
    ("etc/redhat-release", "linux"),
    ("etc/SuSE-release", "linux"),
    ("etc/alpine-release", "linux"),
    ("etc/gentoo-release", "linux"),
    ("etc/slackware-version", "linux"),
    ("etc/lsb-release", "linux"),
)


def systems(files: FileSystem, budget: Budget, at: Moment) -> Iterator[tuple[str, System]]:
    """Each system with the folder that is its root, empty for the file system's own."""
    for base in bases(files, budget):
        tree = Tree(files, budget, base)
        for marker, family in _MARKERS:
            if tree.find(marker) is not None:
                module = import_module(f"guestclock.disks.systems.{family}")
                for system in cast(Detect, module.detect)(tree, budget, at):
                    yield base, system
                break
