"""Bytes that lie in pieces."""

from __future__ import annotations

import pytest

from guestclock.disks.problem import Damaged
from guestclock.disks.source import Memory, read_parts, stands_at

WHOLE = Memory(bytes(range(100)))


def test_pieces_of_any_length_make_exactly_what_was_asked_for() -> None:
    def part(offset: int, count: int) -> bytes:
        return WHOLE.read_at(offset, min(count, 7 - offset % 7))

    assert read_parts(WHOLE, 3, 90, part) == WHOLE.read_at(3, 90)
    assert read_parts(WHOLE, 100, 0, part) == b""
    with pytest.raises(Damaged, match="beyond"):
        read_parts(WHOLE, 99, 2, part)


@pytest.mark.parametrize("piece", [b"", bytes(11)])
def test_a_piece_that_is_empty_or_too_long_is_damage(piece: bytes) -> None:
    with pytest.raises(Damaged, match="come at"):
        read_parts(WHOLE, 0, 10, lambda offset, count: piece)


def test_a_magic_beyond_the_end_is_not_there() -> None:
    assert stands_at(WHOLE, 98, bytes((98, 99)))
    assert not stands_at(WHOLE, 99, bytes((99, 100)))
