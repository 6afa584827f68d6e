"""Servers without ranges, and those that lie about them or change their mind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.disks.remote.server import (
    DATA,
    Answers,
    Asked,
    Reply,
    Server,
    serving,
    source_of,
    trouble,
)


def test_a_small_file_is_taken_whole_where_there_are_no_ranges() -> None:
    with serving(DATA) as server:
        server.answers = server.whole
        source = source_of(server.url)
        assert source.read_at(1000, 2 << 20) == DATA[1000 : 1000 + (2 << 20)]
        assert source.size == len(DATA)
        assert len(server.asked) == 1


def test_a_large_one_is_refused_with_the_reason() -> None:
    with serving(DATA) as server:
        server.answers = server.whole
        said = trouble(server.url, max_read=1 << 20)
    assert "gives no ranges" in said
    assert str(len(DATA)) in said
    assert str(1 << 20) in said


def test_one_of_unknown_size_is_refused() -> None:
    with serving(DATA) as server:
        server.answers = lambda asked: Reply(200, {}, DATA, length=-1)
        assert "does not say how large" in trouble(server.url)


def test_one_that_is_cut_short_is_refused() -> None:
    with serving(DATA) as server:
        server.answers = lambda asked: Reply(200, {}, DATA[:-1], len(DATA), closes=True)
        assert "cut short" in trouble(server.url)


# Servers that lie, or change their mind.

LIES: dict[str, tuple[Callable[[Server], Answers], str]] = {
    "no word which part": (
        lambda server: lambda asked: Reply(206, {}, server.part(asked).body),
        "does not say which",
    ),
    "no size": (
        lambda server: lambda asked: Reply(206, {"Content-Range": "bytes 0-9/*"}, bytes(10)),
        "does not say which",
    ),
    "another part": (
        lambda server: lambda asked: Reply(206, {"Content-Range": "bytes 5-9/10"}, bytes(5)),
        "from 5 on",
    ),
    "a part beyond the end": (
        lambda server: lambda asked: Reply(206, {"Content-Range": "bytes 0-10/10"}, bytes(11)),
        "cannot be",
    ),
    "an endless size": (
        lambda server: lambda asked: Reply(206, {"Content-Range": f"bytes 0-9/{1 << 63}"}, b"x"),
        "cannot be",
    ),
    "an absurd size": (
        lambda server: lambda asked: Reply(206, {"Content-Range": f"bytes 0-9/{'9' * 5000}"}),
        "does not say which",
    ),
    "less than said": (
        lambda server: lambda asked: replace(server.part(asked), body=b"x", closes=True),
        "cut short",
    ),
    "packed": (
        lambda server: (
            lambda asked: Reply(
                206, {**server.part(asked).headers, "Content-Encoding": "gzip"}, b"x"
            )
        ),
        "encoding",
    ),
    "not found": (lambda server: lambda asked: Reply(404, {}), "answers 404: there is nothing"),
    "forbidden": (lambda server: lambda asked: Reply(403, {}), "answers 403"),
    "broken": (lambda server: lambda asked: Reply(500, {}), "answers 500"),
    "not modified": (lambda server: lambda asked: Reply(304, {}), "answers 304"),
    "no such range": (
        lambda server: lambda asked: Reply(416, {"Content-Range": "bytes */5"}),
        "answers 416",
    ),
}


@pytest.mark.parametrize("lie", list(LIES))
def test_an_answer_that_cannot_be_true_is_told(lie: str) -> None:
    answers, said = LIES[lie]
    with serving(DATA) as server:
        server.answers = answers(server)
        assert said in trouble(server.url)


def later(server: Server, change: Callable[[Reply], Reply]) -> Answers:
    """Good answers for the first block, and changed ones for all others."""

    def answers(asked: Asked) -> Reply:
        good = server.part(asked)
        return good if asked.range[0] == 0 else change(good)

    return answers


CHANGES: dict[str, tuple[Callable[[Reply], Reply], str]] = {
    "another tag": (
        lambda good: replace(good, headers={**good.headers, "ETag": '"2"'}),
        "changed on the server",
    ),
    "another size": (
        lambda good: replace(good, headers={**good.headers, "Content-Range": "bytes 0-9/10"}),
        "changed on the server",
    ),
    "another part": (
        lambda good: replace(
            good, headers={**good.headers, "Content-Range": f"bytes 0-9/{len(DATA)}"}
        ),
        "the server gave bytes 0 to 9",
    ),
    "no ranges": (lambda good: Reply(200, {}, DATA), "then no longer"),
    "gone": (lambda good: Reply(404, {}), "answers 404"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_what_changes_while_it_is_read_is_told(change: str) -> None:
    changed, said = CHANGES[change]
    with serving(DATA) as server:
        server.answers = later(server, changed)
        assert said in trouble(server.url, at=1 << 20)
