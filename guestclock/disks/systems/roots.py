"""The folders of a file system that may be the root of a system."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import FileSystem, Kind
from guestclock.disks.tree import Tree

# Where subvolumes are by custom: Ubuntu and openSUSE, Debian's installer, Fedora.
_SUBVOLUMES = ("@", "@rootfs", "root")
_SNAPPER = "@/.snapshots"
_DEPLOYMENTS = "ostree/deploy"
_MOST = 16


def bases(files: FileSystem, budget: Budget) -> Iterator[str]:
    """The file system's own root first, then subvolumes and deployments of ostree."""
    tree = Tree(files, budget)
    deployed = list(_deployments(tree))
    if deployed:
        # The root of an ostree has no system of its own, or links into the one that boots.
        yield from deployed
        return
    yield ""
    if files.name != "btrfs":
        return
    for name in _SUBVOLUMES:
        if tree.find(f"{name}/etc") is not None:
            yield name
    for number in _folders(tree, _SNAPPER):
        yield f"{_SNAPPER}/{number}/snapshot"


def _deployments(tree: Tree) -> Iterator[str]:
    for stateroot in _folders(tree, _DEPLOYMENTS):
        folder = f"{_DEPLOYMENTS}/{stateroot}/deploy"
        for name in _folders(tree, folder):
            yield f"{folder}/{name}"


def _folders(tree: Tree, path: str) -> Iterator[str]:
    folder = tree.find(path)
    if folder is None or folder.kind is not Kind.FOLDER:
        return
    count = 0
    for name, node in tree.files.entries(folder):
        if node.kind is Kind.FOLDER:
            count += 1
            if count > _MOST:
                return
            yield name
