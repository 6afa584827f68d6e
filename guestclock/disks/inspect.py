"""An image from its bytes to its systems: container, volumes, file systems, what is in them."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.disks.budget import Budget
from guestclock.disks.containers.detect import open_image
from guestclock.disks.containers.interface import References
from guestclock.disks.filesystems.detect import mount
from guestclock.disks.found import FoundSystem, Inspection, Place, Remark, UnreadPart
from guestclock.disks.problem import DiskProblem, OverLimit, Reason
from guestclock.disks.source import Paged, Source
from guestclock.disks.systems.detect import systems
from guestclock.disks.systems.interface import Moment
from guestclock.disks.volumes.detect import volumes
from guestclock.disks.volumes.interface import Volume

# What an image without any readable system is called, the most telling reason first.
_TELLING = (
    Reason.LIMIT,
    Reason.UNREACHABLE,
    Reason.REFUSED_REFERENCE,
    Reason.DAMAGED,
    Reason.ENCRYPTED,
    Reason.UNREAD_FORMAT,
    Reason.UNREAD_VOLUME,
    Reason.UNREAD_FILESYSTEM,
)
_SAYS_NOTHING = frozenset((Reason.EMPTY, Reason.NO_OS))


def inspect_source(
    source: Source,
    path: str,
    references: References,
    budget: Budget,
    at: Moment,
    form: str | None = None,
) -> Inspection:
    """All systems on the image in `source`, which is called `path` in the answer.

    `form` is the container's format where someone knows it; it is believed. Raises nothing that
    an image could cause: what cannot be read is part of the answer.
    """
    name: str | None = form
    try:
        name, disk = open_image(Paged(source, budget), references, budget, form)
        return _of_disk(path, name, disk, budget, at)
    except DiskProblem as problem:
        return Inspection(path, name, (), unknown=problem.reason, detail=problem.detail)


def _of_disk(path: str, name: str, disk: Source, budget: Budget, at: Moment) -> Inspection:
    found: list[FoundSystem] = []
    unread: list[UnreadPart] = []
    remarks: list[Remark] = []
    count = 0
    try:
        for volume in volumes(disk, budget):
            count += 1
            try:
                for one in _of_volume(volume, budget, at, remarks):
                    found.append(one)
                    if len(found) > budget.limits.systems:
                        raise OverLimit(f"more than {budget.limits.systems} systems are there")
            except OverLimit:
                raise
            except DiskProblem as problem:
                unread.append(UnreadPart(volume.place, problem.reason, problem.detail))
    except DiskProblem as problem:
        unread.append(UnreadPart("the disk", problem.reason, problem.detail))
    unknown, detail = (None, "") if found else _why_nothing(disk, count, unread)
    return Inspection(
        path, name, tuple(found), tuple(unread), tuple(remarks), unknown=unknown, detail=detail
    )


def _of_volume(
    volume: Volume, budget: Budget, at: Moment, remarks: list[Remark]
) -> Iterator[FoundSystem]:
    if isinstance(volume.content, DiskProblem):
        raise volume.content
    files = mount(volume.content, budget)
    any_system = False
    for base, system in systems(files, budget, at):
        any_system = True
        yield FoundSystem(Place(volume.place, files.name, base), system)
    if any_system:
        remarks.extend(Remark("filesystem", f"{volume.place}: {one}") for one in files.warnings)


def _why_nothing(disk: Source, count: int, unread: list[UnreadPart]) -> tuple[Reason, str]:
    """Why an image has no system to show: the most telling of what could not be read."""
    for reason in _TELLING:
        for part in unread:
            if part.reason is reason:
                return reason, f"{part.volume}: {part.detail}"
    if count == 0 and _is_blank(disk):
        return Reason.EMPTY, "there is nothing on the disk"
    return Reason.NO_OS, "no operating system is on the disk"


def _is_blank(disk: Source) -> bool:
    """Whether the disk begins and ends as an unused one does."""
    head = disk.read_at(0, min(disk.size, 1 << 17))
    tail = disk.read_at(max(0, disk.size - 4096), min(disk.size, 4096))
    return not any(head) and not any(tail)
