"""Lineages: an image, the servers made of it, their snapshots, the servers made of those.

A wrong os_type goes down such a lineage by itself. Images are all known before the first server
passes by; of servers only those are kept that a snapshot was made of, and of all others a count
and a few names for each image.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from guestclock.evidence import Inferred, Unknown, value_of
from guestclock.findings.finding import Branch, Evidence, Finding, Severity, cite
from guestclock.platforms.openstack.findings.cure import set_image
from guestclock.platforms.openstack.findings.family import base_of
from guestclock.platforms.openstack.findings.fault import WINDOWS, fault_of, label
from guestclock.platforms.openstack.findings.image import (
    BUT_FOR_NEW,
    expected_of,
    image_evidence,
    image_findings,
    not_inherited,
    wrong_image,
)
from guestclock.platforms.openstack.hops import said
from guestclock.platforms.openstack.kinds import kind_of_image
from guestclock.platforms.openstack.records import Cloud, Image, OsType, Server
from guestclock.platforms.text import clean

_MOST_NAMES = 3
_MOST_BRANCHES = 40


@dataclass(frozen=True, slots=True)
class _Origin:
    """A server that snapshots were made of."""

    id: str
    name: str
    image: str
    column: OsType


@dataclass(slots=True)
class _Servers:
    """The servers of an image; `named` are some of them, with their os_type in words."""

    count: int = 0
    wrong: int = 0
    named: list[tuple[str, str, str, bool]] = field(default_factory=list)


class Lineages:
    """The lineages of a cloud, whose images must be complete; `note` each server as it passes."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._snapshots: dict[str, list[Image]] = {}
        self._origins: dict[str, _Origin | None] = {}
        self._servers: dict[str, _Servers] = {}
        self._systems: dict[str, Inferred[str] | None] = {}
        self._families: dict[str, Inferred[str] | None] = {}
        for image in cloud.images.values():
            base = base_of(image, cloud)
            if base is not None:
                self._snapshots.setdefault(base.id, []).append(image)
                self._servers[base.id] = _Servers()
                self._servers[image.id] = _Servers()
            if image.made_of_server:
                self._origins[image.made_of_server] = None

    def note(self, server: Server) -> None:
        """Keeps of a server what a tree shows of it."""
        if server.id in self._origins:
            self._origins[server.id] = _Origin(server.id, server.name, server.image, server.column)
        of_image = self._servers.get(server.image)
        if of_image is None:
            return
        of_image.count += 1
        wrong = self._is_wrong(server.column, self._cloud.images[server.image])
        of_image.wrong += wrong
        if len(of_image.named) < _MOST_NAMES:
            of_image.named.append((server.id, server.name, _says(server.column), wrong))

    def findings(self, image: Image) -> tuple[Finding, ...]:
        """What is wrong with an image by its family and by itself: one finding at most."""
        system = self.system_of(image)
        if system is not None and self._hands_on(image, system.value):
            return (self._spread(image, system),)
        if not isinstance(kind_of_image(image.name, image.properties), Unknown):
            return image_findings(image, self._cloud)
        if system is not None and fault_of(image.os_type, system.value) is not None:
            says = cite(f"the image is {label(system.value)}", system)
            return (wrong_image(image, system.value, (says,), self._cloud),)
        origin = self._origins.get(image.made_of_server or "")
        if image.os_type is None and origin is not None and value_of(origin.column) == WINDOWS:
            says = cite(f"server {origin.id}: os_type=windows", origin.column)
            return (not_inherited(image, f"server {_named(origin.name, origin.id)}", (says,)),)
        return ()

    def system_of(self, image: Image) -> Inferred[str] | None:
        """The system in an image: by what it says itself, else by its family, if that agrees."""
        if image.id not in self._systems:
            self._systems[image.id] = _own_system(image) or self._system_of_family(image)
        return self._systems[image.id]

    def _system_of_family(self, image: Image) -> Inferred[str] | None:
        first = base_of(image, self._cloud) or image
        if first.id not in self._families:
            self._families[first.id] = self._family_system(first)
        return self._families[first.id]

    def _family_system(self, first: Image) -> Inferred[str] | None:
        told: dict[str, Inferred[str]] = {}
        for one in (first, *self._snapshots.get(first.id, ())):
            known = _own_system(one)
            if known is not None and known.value not in told:
                where = f"image {_named(one.name, one.id)} of its lineage: {known.where}"
                told[known.value] = Inferred(known.value, where)
        return next(iter(told.values())) if len(told) == 1 else None

    def _is_wrong(self, os_type: OsType, image: Image) -> bool:
        system = self.system_of(image)
        if system is None or isinstance(os_type, Unknown):
            return False
        return fault_of(os_type.value, system.value) is not None

    def _hands_on(self, image: Image, system: str) -> bool:
        """Whether a wrong image is the first of its family, and a snapshot of it is wrong too."""
        if image.id not in self._snapshots or fault_of(image.os_type, system) is None:
            return False
        base = base_of(image, self._cloud)
        if base is not None and fault_of(base.os_type, system) is not None:
            return False
        return any(fault_of(one.os_type, system) for one in self._snapshots[image.id])

    def _spread(self, image: Image, system: Inferred[str]) -> Finding:
        """CLK605, with all that descends from the image."""
        family = self._snapshots[image.id]
        wrong = [one for one in family if fault_of(one.os_type, system.value)]
        servers = sum(self._servers[one.id].wrong for one in (image, *family))
        wanted = WINDOWS if system.value == WINDOWS else "linux"
        return Finding(
            "CLK605",
            Severity.WARNING,
            "image",
            expected_of(system.value),
            f"{said(image.os_type)} is wrong for {label(system.value)}, and was handed on: "
            f"{_count(len(wrong), 'snapshot')} and {_count(servers, 'server')} are wrong by it",
            (
                image_evidence(image),
                cite(f"the image is {label(system.value)}", system),
                *_some(wrong),
            ),
            f"{set_image(image.id, wanted)}, and the same for each snapshot below, for each hands "
            f"it on by itself; {BUT_FOR_NEW}: each has a finding of its own",
            tuple(self._tree(image, system.value)),
        )

    def _tree(self, root: Image, system: str) -> Iterator[Branch]:
        below: dict[str, list[Image]] = {}
        for one in self._snapshots[root.id]:
            below.setdefault(self._parent(one, root), []).append(one)
        shown, images = 0, 0
        for branch, is_image in self._branches(root, below, system):
            if shown == _MOST_BRANCHES:
                rest = 1 + len(self._snapshots[root.id]) - images
                yield Branch(1, f"and more: {_count(rest, 'snapshot')} and their servers", False)
                return
            shown, images = shown + 1, images + is_image
            yield branch

    def _parent(self, snapshot: Image, root: Image) -> str:
        """The image that the snapshot's server was made of, as far as that server was seen."""
        origin = self._origins.get(snapshot.made_of_server or "")
        known = origin is not None and base_of(snapshot, self._cloud) is root
        if origin is None or not known or origin.image == snapshot.id:
            return root.id
        image = self._cloud.images.get(origin.image)
        return image.id if image is not None and base_of(image, self._cloud) is root else root.id

    def _branches(
        self, root: Image, below: dict[str, list[Image]], system: str
    ) -> Iterator[tuple[Branch, bool]]:
        """Each image, its servers, and under each the snapshots made of it; True for an image."""
        # A stack and no recursion: a lineage may be deeper than Python likes.
        todo: list[tuple[int, Branch | Image]] = [(0, root)]
        seen = {root.id}
        while todo:
            depth, one = todo.pop()
            if isinstance(one, Branch):
                yield one, False
                continue
            yield _of_image(one, depth, system), True
            todo += reversed(self._below(one, depth + 1, below, seen, system))
            if not todo:
                # Servers that name each other's snapshots as their image hang on nothing.
                loose = [one for one in self._snapshots[root.id] if one.id not in seen]
                seen.update(one.id for one in loose[:1])
                todo += [(1, one) for one in loose[:1]]

    def _below(
        self,
        image: Image,
        depth: int,
        below: dict[str, list[Image]],
        seen: set[str],
        system: str,
    ) -> list[tuple[int, Branch | Image]]:
        children: list[tuple[int, Branch | Image]] = []
        shown: dict[str, _Origin] = {}
        # Snapshots of one server stand together under it; those of nobody known come first.
        for snapshot in sorted(below.get(image.id, ()), key=lambda one: one.made_of_server or ""):
            if snapshot.id in seen:
                continue
            seen.add(snapshot.id)
            origin = self._origins.get(snapshot.made_of_server or "")
            if origin is None:
                children.append((depth, snapshot))
                continue
            if origin.id not in shown:
                shown[origin.id] = origin
                children.append((depth, _of_server(origin, depth, system)))
            children.append((depth + 1, snapshot))
        servers = self._servers[image.id]
        named = [one for one in servers.named if one[0] not in shown]
        for identity, name, says, wrong in named:
            text = f"server {_named(name, identity)}: {says}"
            children.append((depth, Branch(depth, text, wrong)))
        mine = sum(1 for origin in shown.values() if origin.image == image.id)
        rest = servers.count - len(named) - mine
        if rest > 0:
            text = f"{_count(rest, 'more server')}; {servers.wrong} of {servers.count} are wrong"
            children.append((depth, Branch(depth, text, bool(servers.wrong))))
        return children


def family_tree(server: Server, cloud: Cloud) -> tuple[Branch, ...]:
    """The lineage of one server: the images it comes from, itself, the snapshots made of it.

    Empty where there is no snapshot in it: then there is nothing that the hops do not show.
    """
    image = cloud.images.get(server.image)
    mine = [one for one in cloud.images.values() if one.made_of_server == server.id]
    first = base_of(image, cloud) if image is not None else None
    if first is None and not mine:
        return ()
    system = _system_of_all([one for one in (image, first, *mine) if one is not None])
    branches: list[Branch] = []
    if image is not None:
        above = (image,) if first is None else (first, image)
        branches += (_of_image(one, depth, system) for depth, one in enumerate(above))
    depth = len(branches)
    origin = _Origin(server.id, server.name, server.image, server.column)
    branches.append(_of_server(origin, depth, system))
    branches += (_of_image(one, depth + 1, system) for one in mine[:_MOST_BRANCHES])
    if len(mine) > _MOST_BRANCHES:
        rest = _count(len(mine) - _MOST_BRANCHES, "more snapshot")
        branches.append(Branch(depth + 1, rest, False))
    return tuple(branches)


def _system_of_all(images: list[Image]) -> str:
    """The one system that images name, `unknown` where they name none or several."""
    systems = {known.value for known in map(_own_system, images) if known is not None}
    return systems.pop() if len(systems) == 1 else "unknown"


def _own_system(image: Image) -> Inferred[str] | None:
    kind = kind_of_image(image.name, image.properties)
    return None if isinstance(kind, Unknown) else Inferred(kind.value, kind.where)


def _of_image(image: Image, depth: int, system: str) -> Branch:
    what = "snapshot" if image.is_snapshot or image.base_image else "image"
    text = f"{what} {_named(image.name, image.id)}: {said(image.os_type)}"
    return Branch(depth, text, fault_of(image.os_type, system) is not None)


def _of_server(server: _Origin, depth: int, system: str) -> Branch:
    column = server.column
    wrong = not isinstance(column, Unknown) and fault_of(column.value, system) is not None
    return Branch(depth, f"server {_named(server.name, server.id)}: {_says(column)}", wrong)


def _says(os_type: OsType) -> str:
    return "os_type unknown" if isinstance(os_type, Unknown) else said(os_type.value)


def _named(name: str, identity: str) -> str:
    return clean(name) or identity


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _some(images: list[Image]) -> Iterator[Evidence]:
    for one in images[:_MOST_NAMES]:
        yield Evidence(
            f"snapshot {_named(one.name, one.id)}: {said(one.os_type)}",
            "observed",
            f"properties of image {one.id}",
        )
