"""What the program does for the process that reads an image: opens what may be opened, and reads
what lies on a server. The process itself can do neither.
"""

from __future__ import annotations

import os
from typing import Any

from guestclock.disks.channel import MOST_DATA, Channel, Garbled
from guestclock.disks.problem import DiskProblem, RefusedReference
from guestclock.disks.references import Opened, Policy
from guestclock.disks.source import Source, check_range


class Broker:
    """Answers for one image: `policy` where it is a file, `source` where it is not."""

    def __init__(self, policy: Policy | None = None, source: Source | None = None) -> None:
        self._policy = policy
        self._source = source

    def answer(self, asked: dict[str, Any], channel: Channel, deadline: float) -> None:
        """Answers one question on the channel. Raises Garbled where it is none; Gone, Late."""
        opened: Opened | None = None
        try:
            match asked:
                case {"ask": "read", "offset": int(offset), "count": int(count)}:
                    channel.send({}, self._read(offset, count), deadline=deadline)
                    return
                case {"ask": "backing", "name": str(name), "of": int(of)}:
                    opened = self._files().backing(name, of)
                case {"ask": "part", "name": str(name), "of": int(of)}:
                    opened = self._files().part(name, of)
                case _:
                    raise Garbled("a question is none")
        except DiskProblem as problem:
            told = {"problem": problem.reason.value, "detail": problem.detail}
            channel.send(told, deadline=deadline)
            return
        try:
            got = {"number": opened.number, "name": opened.name}
            channel.send(got, descriptor=opened.descriptor, deadline=deadline)
        finally:
            os.close(opened.descriptor)

    def _read(self, offset: int, count: int) -> bytes:
        if self._source is None or not 0 <= count <= MOST_DATA:
            raise Garbled("a question is none")
        check_range(self._source, offset, count)
        return self._source.read_at(offset, count)

    def _files(self) -> Policy:
        if self._policy is None:
            raise RefusedReference(
                "it needs another file, and for an image on a server none is opened"
            )
        return self._policy
