from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from threading import Event, active_count

import pytest

from guestclock.platforms.openstack.database.ahead import ahead

PATIENCE = 20.0


class Pages:
    """Gives numbers, and says how many it was asked for."""

    def __init__(self, count: int, problem: Exception | None = None) -> None:
        self._count = count
        self._problem = problem
        self.made = 0
        self.third = Event()
        self.closed = Event()

    def __call__(self) -> Iterator[int]:
        try:
            for number in range(self._count):
                self.made += 1
                if self.made == 3:
                    self.third.set()
                yield number
            if self._problem is not None:
                raise self._problem
        finally:
            self.closed.set()


def test_all_items_come_in_order() -> None:
    assert list(ahead(Pages(100))) == list(range(100))


def test_nothing_is_nothing() -> None:
    assert list(ahead(Pages(0))) == []


def test_the_next_item_is_made_while_the_caller_has_this_one() -> None:
    pages = Pages(9)
    with closing(ahead(pages, 2)) as items:
        assert next(items) == 0
        assert pages.third.wait(PATIENCE)


def test_a_slow_caller_is_not_run_away_from() -> None:
    pages = Pages(1000)
    with closing(ahead(pages, 2)) as items:
        for number in items:
            assert pages.made <= number + 1 + 2
            if number == 50:
                break


def test_an_error_comes_after_the_items_before_it() -> None:
    items = ahead(Pages(3, ValueError("gone")))
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="gone"):
        next(items)


def test_a_caller_that_stops_early_ends_the_thread_and_the_reading() -> None:
    threads, pages = active_count(), Pages(1000)
    with closing(ahead(pages)) as items:
        next(items)
    assert pages.closed.wait(PATIENCE)
    assert active_count() == threads


def test_a_generator_that_nobody_starts_starts_nothing() -> None:
    threads, pages = active_count(), Pages(3)
    ahead(pages).close()
    assert (active_count(), pages.made) == (threads, 0)
