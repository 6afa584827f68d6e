"""Mistakes that `guestclock listen` answers without a broker; the rest is in tests/real."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import click
import pytest

from guestclock.cli.listen import Size
from tests.conftest import Run

SENTINEL = "s3ntinel"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "nova.jsonl"


@pytest.mark.parametrize(
    ("text", "size"),
    [("65536", 65536), ("64KiB", 65536), ("64 mib", 2**26), ("2GiB", 2**31)],
)
def test_a_size_has_a_unit(text: str, size: int) -> None:
    assert Size().convert(text, None, None) == size


@pytest.mark.parametrize("text", ["", "64MB", "-1", "1.5GiB", "65535", "63KiB", "٣٣٣٣٣٣", "9" * 30])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a size|is less than"):
        Size().convert(text, None, None)


@pytest.mark.parametrize(
    "url",
    [
        SENTINEL,
        f"rabbit://nova:{SENTINEL}@host:port/",
        f"rabbit://nova:{SENTINEL}#x@host/",
        f"rabbit://nova:1#{SENTINEL}@host/",
        f"rabbit://nova:1/{SENTINEL}@host/",
        f"rabbit://nova:1?{SENTINEL}@host/",
        f"rabbit://nova:{SENTINEL}@",
        "rabbit://",
        f"mysql+pymysql://nova:{SENTINEL}@host/nova",
        f"://nova:{SENTINEL}@host",
        f"rabbit://nova:{SENTINEL}@[::1/",
    ],
)
def test_what_is_no_url_of_a_broker_is_not_shown(
    guestclock: Run, record: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("BROKER", url)
    ran = guestclock("listen", "env:BROKER", "--record", record)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("guestclock: the broker's URL is no")
    assert "hint: write rabbit://USER:PASSWORD@HOST" in ran.err
    assert SENTINEL not in ran.err


def test_a_broker_that_is_not_there_is_said_with_its_address(guestclock: Run, record: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"rabbit://nova:{SENTINEL}@127.0.0.1:{port}/"
    ran = guestclock("listen", url, "--record", record)
    reason = f"127.0.0.1:{port}: Connection refused"
    assert ran.code == 3
    assert ran.err == f"guestclock: no connection to the broker: {reason}\n"


@pytest.mark.parametrize(
    "pool",
    ["", "versioned_notifications.info", "conductor", "Guestclock", "guestclock$", "guestclock\n"],
)
def test_a_queue_that_may_be_somebody_elses_is_not_read(
    guestclock: Run, record: Path, pool: str
) -> None:
    ran = guestclock("listen", "rabbit://h", "--record", record, "--pool", pool)
    assert ran.code == 2
    assert "begin its name with 'guestclock'" in ran.err


def test_a_record_that_cannot_be_written_is_said_before_the_broker_is_asked(
    guestclock: Run, tmp_path: Path
) -> None:
    ran = guestclock("listen", "rabbit://h", "--record", tmp_path / "none/nova.jsonl")
    expected = (
        f"guestclock: {tmp_path}/none/nova.jsonl cannot be written: No such file or directory"
    )
    assert (ran.code, ran.err.strip()) == (3, expected)


def test_a_missing_variable_is_named(guestclock: Run, record: Path) -> None:
    ran = guestclock("listen", "env:NO_BROKER", "--record", record)
    assert ran.code == 2
    assert "NO_BROKER is not set" in ran.err
    assert not record.exists()


def test_a_missing_package_is_said(
    guestclock: Run, record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "oslo_messaging", None)
    ran = guestclock("listen", "rabbit://h", "--record", record)
    assert ran.code == 3
    assert "hint: pip install 'guestclock[notifications]'" in ran.err
