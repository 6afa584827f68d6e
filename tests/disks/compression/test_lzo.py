"""LZO1X, compared with streams that liblzo2 makes."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.compression.lzo import decompress
from guestclock.disks.problem import Damaged
from tests.disks.builders.btrfs import lzo1x

LIMIT = 1 << 17
NOISE = random.Random(1).randbytes(70_000)
TEXT = b"# /etc/localtime\n" * 500


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"a",
        b"abc" * 2,
        b"x" * 100,
        b"x" * 100_000,
        TEXT,
        NOISE[:20],
        NOISE[:300],
        NOISE[:4096],
        # Runs of plain bytes whose length needs several noughts, and far references back.
        NOISE[:3000] + NOISE[:3000],
        NOISE[:40_000] + NOISE[:400] + NOISE[5_000:6_000],
        NOISE[:30_000] + NOISE[:30_000],
        b"".join(NOISE[at : at + 3] + b"LOCAL" + TEXT[at : at + 9] for at in range(4000)),
    ],
)
def test_what_the_library_packed_is_unpacked(plain: bytes) -> None:
    assert decompress(lzo1x(plain), LIMIT) == plain


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"ab", b"UTC", TEXT[:60], NOISE[:33], NOISE[9:80]]), max_size=60))
def test_any_mixture_is_unpacked(parts: list[bytes]) -> None:
    plain = b"".join(parts)
    assert decompress(lzo1x(plain), LIMIT) == plain


def test_no_more_is_made_than_the_limit() -> None:
    stream = lzo1x(b"x" * 100_000)
    assert len(decompress(stream, 100_000)) == 100_000
    with pytest.raises(Damaged, match="more than 99999"):
        decompress(stream, 99_999)
    # A length that stands for far more than a machine has.
    bomb = b"\x12a" + b"\x20" + bytes(100_000) + b"\xff\0\0"
    with pytest.raises(Damaged, match="more than"):
        decompress(bomb, LIMIT)


@pytest.mark.parametrize("cut", [0, 1, 5, -4, -3, -1])
def test_a_stream_without_its_end_is_damage(cut: int) -> None:
    with pytest.raises(Damaged, match="does not end"):
        decompress(lzo1x(TEXT)[:cut], LIMIT)


def test_a_reference_to_before_the_start_is_damage() -> None:
    with pytest.raises(Damaged, match="before its start"):
        decompress(b"\x12a\x20\x01\xff\xff\x11\0\0", LIMIT)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_noise_is_damage_or_stays_below_the_limit(head: bytes, at: int, new: bytes) -> None:
    stream = bytearray(head + lzo1x(TEXT[:400] + NOISE[:60]))
    stream[at : at + len(new)] = new
    with contextlib.suppress(Damaged):
        assert len(decompress(bytes(stream), 1000)) <= 1000
