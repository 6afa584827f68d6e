"""Zstandard (RFC 8878), never more of it than was asked for."""

from __future__ import annotations

from guestclock.disks.problem import Damaged, UnreadFormat

_LARGEST_WINDOW = 8 << 20


def decompress(data: bytes, limit: int) -> bytes:
    """The first `limit` bytes that the first frame of `data` holds; what follows is left alone.

    Raises Damaged, UnreadFormat where the library is not installed.
    """
    try:
        import zstandard
    except ImportError:
        raise UnreadFormat("it is compressed by zstd: pip install zstandard") from None
    maker = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    try:
        with maker.stream_reader(data, read_across_frames=False) as reader:
            return reader.read(limit)
    except (zstandard.ZstdError, MemoryError) as problem:
        raise Damaged(f"a zstd frame: {str(problem)[:80]}") from None
