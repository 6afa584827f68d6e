"""An audit of many files on several cores: their order is kept, and few are in flight.

Parsing is most of an audit, so workers read and judge, and this process renders. A worker sends
each judgement once and its number from then on. Workers are children over pipes: one whose
parent is gone reads the end of its pipe and ends, whatever happened to the parent.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeAlias

from guestclock.audit import Judge, Judgement, Passing, audit, audited
from guestclock.errors import Unreadable
from guestclock.evidence import Unknown
from guestclock.machine import Facts, Identity, Machine
from guestclock.platforms.interface import Read, Unread
from guestclock.platforms.libvirt.files import FileReader, repeated, walk
from guestclock.platforms.seen import Seen
from guestclock.platforms.surroundings import Surroundings

WORTH_A_POOL = 2000
"""Files: for fewer, starting workers takes longer than they save."""

# A part stays well below what a socket holds, so that sending one never waits for its reader,
# and a worker always has the next one before it has sent back the last.
_PART_FILES = 128
_PART_BYTES = 32 * 1024
_AHEAD = 2
_REMEMBERED = 4096
_ELSEWHERE = Facts(Unknown("it is judged by a worker"))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def audit_files(
    paths: Iterable[str],
    surroundings: Surroundings,
    judge: Judge,
    known: Container[bytes] = frozenset(),
    jobs: int | None = None,
) -> Iterator[Passing]:
    """The results of all domains in files and folders, sorted by path.

    `jobs` is the number of workers, by default one a core where the files are many; 1 is this
    process alone. Raises Unreadable if a worker dies.
    """
    given = tuple(paths)
    walked = walk(given)
    workers = jobs or (cores() if is_many(given) else 1)
    if workers < 2 or "fork" not in multiprocessing.get_all_start_methods():
        reader = FileReader(surroundings)
        yield from audit(_once(_read(reader, walked)), judge, known)
        return
    seen = Seen()
    for one in _pooled(walked, surroundings, judge, workers):
        if isinstance(one, Unread):
            yield one
            continue
        identity, judgement = one
        again = repeated(Machine(identity, _ELSEWHERE), seen)
        yield again or audited(identity, judgement, known)


def is_many(paths: Iterable[str]) -> bool:
    """Whether there are files enough for workers, found by looking at the first of them.

    Nothing is kept, as workers start with all the memory that this process has by then.
    """
    left, count = list(paths), 0
    while left and count < WORTH_A_POOL:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in islice(entries, WORTH_A_POOL - count):
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
        except OSError:
            # A file, or a folder that cannot be listed: the walk will say so.
            count += 1
    return count >= WORTH_A_POOL


def _read(reader: FileReader, walked: Iterable[str | Unread]) -> Iterator[Read]:
    for path in walked:
        if isinstance(path, Unread):
            yield path
        else:
            yield from reader.read(path)


def _once(collected: Iterable[Read]) -> Iterator[Read]:
    seen = Seen()
    for one in collected:
        yield one if isinstance(one, Unread) else repeated(one, seen) or one


# A judged machine as it crosses a pipe: id, name, platform, source, and its judgement's number.
_Row: TypeAlias = tuple[str, str, str, str, int]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a worker made of a part; `forget` says that all earlier numbers are void."""

    rows: list[_Row | Unread]
    judgements: dict[int, Judgement]
    forget: bool


def _work(pipe: Connection, reader: FileReader, judge: Judge) -> None:
    """A worker's life: parts in, answers out, until the pipe ends."""
    numbered = _Numbered(judge)
    try:
        while True:
            pipe.send(numbered.answer(reader, pipe.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


class _Numbered:
    """Judges, and gives each judgement a number that holds until the next `forget`."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        # The judgement is kept with its number, as its id must not become another's.
        self._numbers: dict[int, tuple[int, Judgement]] = {}

    def answer(self, reader: FileReader, paths: list[str]) -> _Answer:
        """The machines of a part."""
        forget = len(self._numbers) > _REMEMBERED
        if forget:
            self._numbers.clear()
        answer = _Answer([], {}, forget)
        for path in paths:
            for one in reader.read(path):
                if isinstance(one, Unread):
                    answer.rows.append(one)
                else:
                    number = self._number(self._judge(one.facts), answer)
                    who = one.identity
                    answer.rows.append((who.id, who.name, who.platform, who.source, number))
        return answer

    def _number(self, judgement: Judgement, answer: _Answer) -> int:
        kept = self._numbers.get(id(judgement))
        if kept is not None:
            return kept[0]
        number = len(self._numbers)
        self._numbers[id(judgement)] = (number, judgement)
        answer.judgements[number] = judgement
        return number


@dataclass
class _Worker:
    """A worker as its parent sees it, with the judgements it has sent."""

    process: BaseProcess
    pipe: Connection
    judgements: dict[int, Judgement] = field(default_factory=dict)

    def results(self) -> Iterator[tuple[Identity, Judgement] | Unread]:
        """The answer to the oldest part this worker was sent. Raises Unreadable if it died."""
        try:
            answer = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            self.process.join()
            raise Unreadable(
                f"a worker died (exit code {self.process.exitcode})",
                "run again with --jobs 1 to see at which file",
            ) from None
        assert isinstance(answer, _Answer)
        if answer.forget:
            self.judgements.clear()
        self.judgements.update(answer.judgements)
        for row in answer.rows:
            if isinstance(row, Unread):
                yield row
            else:
                identity = Identity(row[0], row[1], row[2], row[3])
                yield identity, self.judgements[row[4]]


def _pooled(
    walked: Iterator[str | Unread], surroundings: Surroundings, judge: Judge, jobs: int
) -> Iterator[tuple[Identity, Judgement] | Unread]:
    """What is read and judged of all files, in their order."""
    workers = _start(jobs, surroundings, judge)
    try:
        parts = _parts(walked)
        turn = 0
        # Parts go round the workers, so that the oldest answer is always from the next in turn.
        waiting: deque[tuple[_Worker | None, list[Unread]]] = deque()
        while True:
            while len(waiting) < jobs * _AHEAD and (part := next(parts, None)) is not None:
                paths, unread = part
                worker = None
                if paths:
                    worker = workers[turn % jobs]
                    turn += 1
                    _send(worker, paths)
                waiting.append((worker, unread))
            if not waiting:
                return
            worker, unread = waiting.popleft()
            if worker is not None:
                yield from worker.results()
            yield from unread
    finally:
        _stop(workers)


def _send(worker: _Worker, paths: list[str]) -> None:
    try:
        worker.pipe.send(paths)
    except (BrokenPipeError, ConnectionResetError):
        # It is dead, and its turn to answer will say so.
        return


def _parts(walked: Iterator[str | Unread]) -> Iterator[tuple[list[str], list[Unread]]]:
    """Files in parts; a folder that cannot be listed ends a part, to stand in its place."""
    paths: list[str] = []
    size = 0
    for one in walked:
        if isinstance(one, Unread):
            yield paths, [one]
            paths, size = [], 0
            continue
        paths.append(one)
        size += len(one)
        if len(paths) == _PART_FILES or size >= _PART_BYTES:
            yield paths, []
            paths, size = [], 0
    if paths:
        yield paths, []


def _start(jobs: int, surroundings: Surroundings, judge: Judge) -> list[_Worker]:
    # Forked, because zones and inventories are there already and need not be sent; what exists
    # by now is kept out of collections, which would copy its pages.
    context = multiprocessing.get_context("fork")
    gc.freeze()
    workers: list[_Worker] = []
    for _ in range(jobs):
        mine, theirs = context.Pipe()
        others = [worker.pipe for worker in workers] + [mine]
        process = context.Process(
            target=_begin, args=(theirs, others, surroundings, judge), daemon=True
        )
        process.start()
        theirs.close()
        workers.append(_Worker(process, mine))
    return workers


def _begin(
    pipe: Connection, others: list[Connection], surroundings: Surroundings, judge: Judge
) -> None:
    # An interrupt is for the parent, whose end this worker notices by its pipe; and it would
    # not, if it kept the parent's own ends open.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for other in others:
        other.close()
    _work(pipe, FileReader(surroundings), judge)


def _stop(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.pipe.close()
    for worker in workers:
        # It may be sending an answer that nobody wants any more.
        worker.process.terminate()
        worker.process.join()
        worker.process.close()
