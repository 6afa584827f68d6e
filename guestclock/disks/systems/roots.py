"""The folders of a file system that may be the root of a system."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import FileSystem, Kind, Node
from guestclock.disks.tree import Tree

# Where subvolumes are by custom: Ubuntu and Arch, openSUSE (its first snapshot is what boots
# until the first rollback), Debian's installer, Fedora.
_SUBVOLUMES = ("@", "@/.snapshots/1/snapshot", "@rootfs", "root")
_DEPLOYMENTS = "ostree/deploy"
_ENTRIES = "boot/loader/entries"
_PROFILE = "nix/var/nix/profiles/system"
_MOST = 64
_TEXT = 256 << 10
_BOOTED = re.compile(r"(?:^|\s)ostree=/?(ostree/\S+)")
_VERSION = re.compile(r"^version\s+(\d{1,9})", re.MULTILINE)


class Base(NamedTuple):
    """A folder that may be a root; `fallback` where it counts only if no root before it did.

    `remark` says how it was chosen among several.
    """

    path: str
    fallback: bool = False
    remark: str = ""


def bases(files: FileSystem, budget: Budget) -> Iterator[Base]:
    """The file system's own root first, then its deployment of ostree, then subvolumes."""
    tree = Tree(files, budget)
    for prefix in ("", *(_SUBVOLUMES if files.name == "btrfs" else ())):
        if prefix and not _is_folder(tree.find(prefix, follow=False)):
            continue
        deployment = _deployment(tree, prefix)
        yield deployment or Base(prefix, fallback=bool(prefix))


def tree_at(files: FileSystem, budget: Budget, base: str) -> Tree:
    """The tree of a root, which finds NixOS's /etc even before its first boot has made it."""
    tree = SystemTree(files, budget, base)
    return NixTree(files, budget, base) if tree.target(_PROFILE) else tree


class SystemTree(Tree):
    """A tree whose texts are settings: what is longer than any of them is not taken apart."""

    def text(self, path: str, limit: int | None = None) -> str | None:
        """A small file as text. Raises OverLimit for a larger one."""
        self.budget.tick()
        return super().text(path, min(_TEXT, self.budget.limits.file) if limit is None else limit)


class NixTree(SystemTree):
    """A NixOS: what /etc has not yet is looked up in the system's profile.

    The first boot fills /etc with links to it (nixos/modules/system/etc/etc.nix).
    """

    def resolve(self, path: str, follow: bool = True) -> tuple[str, Node] | None:
        """What is at a path, or where activation would link it from."""
        found = super().resolve(path, follow)
        if found is None and path.lstrip("/").startswith("etc/"):
            return super().resolve(f"{_PROFILE}/{path}", follow)
        return found


def _deployment(tree: Tree, prefix: str) -> Base | None:
    """The deployment that boots: the one of the newest boot entry, else the latest made.

    Source: ostree's docs, "Deployments": a deployment is a folder CHECKSUM.SERIAL, and the boot
    entry with the highest version is the default.
    """
    above = f"{prefix}/" if prefix else ""
    found: list[tuple[str, Node]] = []
    for stateroot in _folders(tree, f"{above}{_DEPLOYMENTS}"):
        folder = f"{above}{_DEPLOYMENTS}/{stateroot}/deploy"
        for name in _folders(tree, folder):
            path = f"{folder}/{name}"
            node = tree.find(path, follow=False)
            if node is not None and name.rpartition(".")[2].isdecimal():
                found.append((path, node))
    if not found:
        return None
    if len(found) == 1:
        return Base(found[0][0])
    booted = _booted(Tree(tree.files, tree.budget, prefix), above)
    if booted is not None and booted in [path for path, _ in found]:
        remark = f"of {len(found)} deployments, the one of the newest boot entry is told"
        return Base(booted, remark=remark)
    latest = max(found, key=lambda one: (_serial(one[0]), one[1].modified or 0, one[0]))
    remark = (
        f"of {len(found)} deployments the one with the highest number is told: which of them boots "
        "is not known, as no boot entry is on this file system"
    )
    return Base(latest[0], remark=remark)


def _booted(tree: Tree, above: str) -> str | None:
    """Where the kernel's argument `ostree=` of the newest boot entry leads."""
    newest: tuple[int, str] | None = None
    for name in _names(tree, _ENTRIES):
        if not name.endswith(".conf"):
            continue
        text = tree.text(f"{_ENTRIES}/{name}") or ""
        argument, version = _BOOTED.search(text), _VERSION.search(text)
        if argument and version:
            newest = max(newest or (-1, ""), (int(version[1]), argument[1]))
    found = tree.resolve(newest[1]) if newest else None
    return f"{above}{found[0]}" if found and _is_folder(found[1]) else None


def _serial(path: str) -> int:
    return int(path.rpartition(".")[2][:9])


def _is_folder(node: Node | None) -> bool:
    return node is not None and node.kind is Kind.FOLDER


def _folders(tree: Tree, path: str) -> list[str]:
    return [name for name in _names(tree, path) if _is_folder(tree.find(f"{path}/{name}", False))]


def _names(tree: Tree, path: str) -> list[str]:
    names: list[str] = []
    for name, _ in tree.entries(path):
        tree.budget.tick()
        if len(names) >= _MOST:
            break
        names.append(name)
    return sorted(names)
