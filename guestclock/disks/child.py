"""The process that reads images: it gets them as open descriptors, and gives records.

Whatever it needs beside that, it asks for; whoever sits at the other end decides.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.channel import MOST_DATA, Channel, Garbled, Gone, Message
from guestclock.disks.problem import Damaged, DiskProblem, Reason
from guestclock.disks.source import FileSource, Paged, Source, read_parts

if TYPE_CHECKING:
    from guestclock.disks.containers.interface import References
    from guestclock.disks.record import ImageRecord

Read: TypeAlias = "Callable[[Source, str, References, Budget, int, str | None], ImageRecord]"
"""Source, path, references, budget, instant, format: the record of one image."""

_LIKELY = ("containers.qcow2", "volumes.gpt", "filesystems.ntfs", "systems.windows")

GRACE = 2.0
"""How long after its time a reader that does not look at the clock is let alone, in seconds."""


def load() -> Read:
    """Imports what every image needs, while that is still allowed."""
    from guestclock.disks.inspect import inspect_source
    from guestclock.disks.record import record
    from guestclock.disks.systems.interface import Moment

    def read(
        source: Source,
        path: str,
        references: References,
        budget: Budget,
        at: int,
        form: str | None,
    ) -> ImageRecord:
        return record(inspect_source(source, path, references, budget, Moment(at), form))

    return read


def _foresee() -> None:
    """Imports, while nobody asks yet, what most images with a wrong clock need: a Windows."""
    for name in _LIKELY:
        import_module(f"guestclock.disks.{name}")


def serve(channel: Channel) -> None:
    """Reads one image after the other, until the other end is closed or one was too much."""
    from guestclock.disks.sandbox import allow_seconds, confine

    # Nothing that is made before the first image is ever garbage.
    gc.disable()
    read = load()
    channel.send({"ready": confine()})
    _foresee()
    gc.freeze()
    gc.enable()
    while True:
        try:
            request = channel.receive(descriptors=True)
        except Gone:
            return
        limits = Limits(*request.text["limits"])
        allow_seconds(limits.timeout + GRACE)
        if not _served(request, channel, limits, read):
            return


def _served(request: Message, channel: Channel, limits: Limits, read: Read) -> bool:
    """Whether this process can go on with the next one."""
    text = request.text
    budget = Budget(limits)
    files = _Files(channel, 0, text["name"], budget, [])
    if request.descriptor is not None:
        files.opened.append(request.descriptor)
    try:
        try:
            source = _source(request, channel)
            found = read(source, text["path"], files, budget, text["at"], text["form"])
        except DiskProblem as problem:
            from guestclock.disks.record import nothing_read

            found = nothing_read(text["path"], problem.reason.value, problem.detail)
        channel.send({"record": found})
        return True
    except Gone:
        raise
    except MemoryError:
        failed = Reason.LIMIT, "it takes more memory than reading an image may"
    except Garbled:
        failed = Reason.LIMIT, "there is more to tell of it than one answer holds"
    except Exception as problem:
        failed = Reason.FAULT, _where(problem)
    finally:
        for one in files.opened:
            os.close(one)
    channel.send({"failed": failed[0].value, "detail": failed[1]})
    return False


def _where(problem: Exception) -> str:
    """What went wrong where in our own code; never the error's text, which may be the image's."""
    trace = problem.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(problem).__name__
    file = os.path.basename(trace.tb_frame.f_code.co_filename)
    return f"{type(problem).__name__} in {file}, line {trace.tb_lineno}"


def _source(request: Message, channel: Channel) -> Source:
    if request.descriptor is not None:
        return FileSource(request.descriptor)
    return _Far(channel, request.text["size"])


class _Far:
    """A Source whose bytes the other end reads."""

    def __init__(self, channel: Channel, size: int) -> None:
        self._channel = channel
        self.size = size

    def read_at(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`. Raises DiskProblem."""
        return read_parts(self, offset, count, self._part)

    def _part(self, offset: int, count: int) -> bytes:
        some = min(count, MOST_DATA)
        data = _ask(self._channel, {"ask": "read", "offset": offset, "count": some}).data
        if len(data) != some:
            raise Damaged(f"{len(data)} bytes came for {some}")
        return data


class _Files:
    """References of one file of an image, by asking for each."""

    def __init__(
        self, channel: Channel, number: int, name: str, budget: Budget, opened: list[int]
    ) -> None:
        self._channel = channel
        self._number = number
        self._budget = budget
        self.name = name
        self.opened = opened

    def backing(self, name: str, form: str | None) -> Source:
        """The virtual disk of a backing file. Raises DiskProblem."""
        from guestclock.disks.containers.detect import open_image

        file, files = self._open("backing", name)
        return open_image(Paged(file, self._budget), files, self._budget, form)[1]

    def part(self, name: str) -> Source:
        """The bytes of a file that holds a part of this one. Raises DiskProblem."""
        return Paged(self._open("part", name)[0], self._budget)

    def _open(self, what: str, name: str) -> tuple[Source, _Files]:
        asked = {"ask": what, "name": name, "of": self._number}
        got = _ask(self._channel, asked, descriptors=True)
        if got.descriptor is None:
            raise Garbled("no descriptor came")
        self.opened.append(got.descriptor)
        number, called = got.text["number"], got.text["name"]
        below = _Files(self._channel, number, called, self._budget, self.opened)
        return FileSource(got.descriptor), below


def _ask(channel: Channel, asked: dict[str, Any], descriptors: bool = False) -> Message:
    channel.send(asked)
    got = channel.receive(descriptors=descriptors)
    if "problem" in got.text:
        raise _problem(got.text["problem"], got.text["detail"])
    return got


def _problem(reason: str, detail: str) -> DiskProblem:
    kinds = {one.reason.value: one for one in DiskProblem.__subclasses__()}
    return kinds[reason](detail)
