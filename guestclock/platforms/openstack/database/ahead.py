"""Reading ahead: the next page is fetched while the caller works on this one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Generic, TypeVar

T = TypeVar("T")

# How long a caller that stops early waits for the page under way; the thread keeps nobody alive.
_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Page(Generic[T]):
    items: T


@dataclass(frozen=True, slots=True)
class _End:
    problem: BaseException | None = None


def ahead(make: Callable[[], Iterable[T]], depth: int = 1) -> Generator[T, None, None]:
    """What `make` gives, made by a thread of its own that is at most `depth` items ahead.

    Whatever is raised there is raised here, after the items before it. A caller that stops early
    closes this generator, and the thread ends after the item under way.
    """
    queue: SimpleQueue[_Page[T] | _End] = SimpleQueue()
    slots, stopped = Semaphore(depth), Event()
    thread = Thread(target=_fetch, args=(make, queue, slots, stopped), daemon=True)
    thread.start()
    try:
        while True:
            match queue.get():
                case _Page(items):
                    slots.release()
                    yield items
                case _End(None):
                    return
                case _End(problem):
                    assert problem is not None
                    raise problem
    finally:
        stopped.set()
        slots.release()
        thread.join(_GRACE_SECONDS)


def _fetch(
    make: Callable[[], Iterable[T]],
    queue: SimpleQueue[_Page[T] | _End],
    slots: Semaphore,
    stopped: Event,
) -> None:
    problem: BaseException | None = None
    try:
        with closing(_each(make)) as items:
            # The slot comes first: an item that nobody has room for is not even asked for.
            while slots.acquire() and not stopped.is_set():
                item = next(items, None)
                if item is None:
                    break
                queue.put(item)
    except BaseException as raised:
        problem = raised
    queue.put(_End(problem))


def _each(make: Callable[[], Iterable[T]]) -> Generator[_Page[T], None, None]:
    for item in make():
        yield _Page(item)
