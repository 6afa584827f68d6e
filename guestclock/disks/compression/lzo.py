"""LZO1X, as btrfs and others compress with (kernel.org, Documentation/staging/lzo.rst)."""

from __future__ import annotations

from guestclock.disks.problem import Damaged

_FAR = 0x4000
_NEAR_END = 0x0800


def decompress(data: bytes, limit: int) -> bytes:
    """The bytes that `data`, one whole LZO1X stream, stands for.

    Raises Damaged for more of them than `limit`, or where the stream is broken or does not end.
    """
    return _Stream(data, limit).all()


class _Stream:
    def __init__(self, data: bytes, limit: int) -> None:
        self._data = data
        self._limit = limit
        self._at = 0
        self._made = bytearray()

    def all(self) -> bytes:
        # How many plain bytes went before an instruction decides what its lowest values mean:
        # 4 stands for a run of them.
        before = 0
        first = self._peek()
        if first > 17:
            self._at += 1
            before = min(first - 17, 4)
            self._copy_plain(first - 17)
        while True:
            code = self._byte()
            if code < 16 and before == 0:
                self._copy_plain(3 + (code or self._long(15)))
                before = 4
                continue
            if code >= 64:
                distance = (code >> 2 & 7) + (self._byte() << 3) + 1
                length, after = (code >> 5) + 1, code & 3
            elif code >= 32:
                length = 2 + (code & 31 or self._long(31))
                word = self._word()
                distance, after = (word >> 2) + 1, word & 3
            elif code >= 16:
                length = 2 + (code & 7 or self._long(7))
                word = self._word()
                distance, after = _FAR + ((code & 8) << 11) + (word >> 2), word & 3
                if distance == _FAR:
                    if length != 3:
                        raise Damaged("an lzo stream has a wrong end")
                    return bytes(self._made)
            else:
                far = before == 4
                distance = (code >> 2) + (self._byte() << 2) + 1 + (_NEAR_END if far else 0)
                length, after = 3 if far else 2, code & 3
            self._copy_made(distance, length)
            self._copy_plain(after)
            before = after

    def _peek(self) -> int:
        if self._at >= len(self._data):
            raise Damaged("an lzo stream does not end")
        return self._data[self._at]

    def _byte(self) -> int:
        value = self._peek()
        self._at += 1
        return value

    def _word(self) -> int:
        return self._byte() | self._byte() << 8

    def _long(self, base: int) -> int:
        """A length that does not fit its instruction: noughts of 255 each, and a last byte."""
        length = base
        while (byte := self._byte()) == 0:
            length += 255
        return length + byte

    def _copy_plain(self, count: int) -> None:
        end = self._at + count
        if end > len(self._data):
            raise Damaged("an lzo stream does not end")
        self._check(count)
        self._made += self._data[self._at : end]
        self._at = end

    def _copy_made(self, distance: int, count: int) -> None:
        if distance > len(self._made):
            raise Damaged("an lzo stream refers to bytes before its start")
        self._check(count)
        start = len(self._made) - distance
        piece = bytes(self._made[start : start + count])
        # What is copied may overlap what it makes: then it repeats.
        self._made += (piece * (count // len(piece) + 1))[:count]

    def _check(self, count: int) -> None:
        if len(self._made) + count > self._limit:
            raise Damaged(f"an lzo stream makes more than {self._limit} bytes")
