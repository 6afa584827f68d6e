from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from guestclock.disks.channel import MOST_DATA, Channel, Garbled, Gone, Late, Message


class Pair:
    """Both ends of a channel, and the socket of the second one to misuse."""

    def __init__(self) -> None:
        self.mine, self.raw = socket.socketpair()
        self.one, self.other = Channel(self.mine), Channel(self.raw)


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.mine.close()
    made.raw.close()


def framed(text: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<II", len(text), len(data)) + text + data


def soon() -> float:
    return time.monotonic() + 0.05


def test_an_object_and_its_bytes_arrive_as_they_were_sent(pair: Pair) -> None:
    pair.one.send({"name": "\udcff\u202e", "of": 3}, b"\0\xff")
    assert pair.other.receive() == Message({"name": "\udcff\u202e", "of": 3}, b"\0\xff")


def test_a_message_longer_than_the_sockets_buffer_arrives(pair: Pair) -> None:
    data = os.urandom(MOST_DATA)
    sender = threading.Thread(target=pair.one.send, args=({"a": "b" * 300_000}, data))
    sender.start()
    got = pair.other.receive()
    sender.join()
    assert got.data == data
    assert len(got.text["a"]) == 300_000


def test_a_descriptor_arrives_and_reads_the_same_file(pair: Pair, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    with file.open("rb") as stream:
        pair.one.send({}, descriptor=stream.fileno())
    got = pair.other.receive(descriptors=True).descriptor
    assert got is not None
    assert os.pread(got, 10, 0) == b"content"
    assert not os.get_inheritable(got)
    os.close(got)


def test_a_descriptor_that_nobody_waits_for_is_not_taken(pair: Pair, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with (tmp_path / "file").open("wb") as stream:
        pair.other.send({}, descriptor=stream.fileno())
    assert pair.one.receive().descriptor is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_closed_end_is_gone(pair: Pair) -> None:
    pair.raw.close()
    with pytest.raises(Gone):
        pair.one.receive()
    with pytest.raises(Gone):
        pair.one.send({})


def test_a_message_that_ends_in_the_middle_is_gone(pair: Pair) -> None:
    pair.raw.sendall(framed(b'{"a": 1}')[:-1])
    pair.raw.close()
    with pytest.raises(Gone):
        pair.one.receive()


def test_silence_is_late(pair: Pair) -> None:
    with pytest.raises(Late):
        pair.one.receive(soon())


def test_half_a_message_is_late(pair: Pair) -> None:
    pair.raw.sendall(framed(b"{}")[:-1])
    with pytest.raises(Late):
        pair.one.receive(soon())


def test_who_does_not_listen_is_late(pair: Pair) -> None:
    with pytest.raises(Late):
        pair.one.send({}, bytes(MOST_DATA), deadline=soon())


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"1", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000],
    ids=lambda text: repr(text[:8]),
)
def test_what_is_no_object_is_garbled(pair: Pair, text: bytes) -> None:
    sender = threading.Thread(target=pair.raw.sendall, args=(framed(text),))
    sender.start()
    with pytest.raises(Garbled):
        pair.one.receive()
    sender.join()


@pytest.mark.parametrize("head", [(0xFFFFFFFF, 0), (2, 0xFFFFFFFF), ((16 << 20) + 1, 0)])
def test_a_claimed_length_beyond_the_bounds_is_garbled(pair: Pair, head: tuple[int, int]) -> None:
    pair.raw.sendall(struct.pack("<II", *head) + b"{}")
    with pytest.raises(Garbled):
        pair.one.receive()


def test_what_is_too_long_is_not_sent(pair: Pair) -> None:
    with pytest.raises(Garbled):
        pair.one.send({"a": "b" * (16 << 20)})
    with pytest.raises(Garbled):
        pair.one.send({}, bytes(MOST_DATA + 1))
    pair.one.send({"still": "good"})
    assert pair.other.receive().text == json.loads('{"still": "good"}')
