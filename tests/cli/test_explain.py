from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Run

WINDOWS = """<domain type='kvm'><name>win10</name>
<uuid>6f3fbd2a-0c8e-4d5c-9d3b-2f1f9d6f8a11</uuid>
<metadata><libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
<libosinfo:os id="http://microsoft.com/win/10"/></libosinfo:libosinfo></metadata>
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><clock offset='utc'/></domain>"""


@pytest.fixture
def win10(tmp_path: Path) -> Path:
    file = tmp_path / "win10.xml"
    file.write_text(WINDOWS)
    return file


def test_json_has_the_fields_of_the_guide(guestclock: Run, win10: Path) -> None:
    ran = guestclock(
        "explain", win10, "--zone", "Asia/Shanghai", "--host-zone", "UTC", "-f", "json"
    )
    assert ran.code == 0
    found = json.loads(ran.out)
    assert found["machine"] == {
        "kind": "domain",
        "id": "6f3fbd2a-0c8e-4d5c-9d3b-2f1f9d6f8a11",
        "name": "win10",
        "platform": "libvirt",
        "source": str(win10),
    }
    assert found["verdict"] == "win10 will be 8 h behind after its next cold start"
    assert found["fault"] == "whole-zone step"
    assert found["error_seconds"]["after_cold_start"] == -28800
    assert found["error_seconds"]["now"] is None
    assert set(found["error_seconds"]["unknown"]) == {"now", "after_reset"}
    assert [hop["name"] for hop in found["hops"]] == ["definition", "QEMU", "RTC", "guest"]
    for hop in found["hops"]:
        assert set(hop) == {"name", "says", "should", "evidence"}
        assert hop["evidence"]
    assert "timezone='Asia/Shanghai'" in found["cure"]
    assert "stop and start" in found["cure"]
    assert found["right_until"] is None


def test_text_shows_the_verdict_first_and_the_cure_last(guestclock: Run, win10: Path) -> None:
    ran = guestclock("explain", win10, "--zone", "China Standard Time", "--host-zone", "UTC")
    lines = ran.out.splitlines()
    assert lines[0] == "win10 will be 8 h behind after its next cold start"
    assert any("should say" in line and "Asia/Shanghai" in line for line in lines)
    assert lines[-1].startswith("cost")


@pytest.mark.parametrize(
    ("more", "fail_on", "code"),
    [
        (("--zone", "Asia/Shanghai"), "never", 0),
        (("--zone", "Asia/Shanghai"), "error", 1),
        (("--zone", "Asia/Shanghai"), "unknown", 1),
        (("--guest", "linux"), "error", 0),
        (("--guest", "unknown"), "error", 0),
        (("--guest", "unknown"), "unknown", 1),
    ],
)
def test_fail_on_decides_the_exit_code(
    guestclock: Run, win10: Path, more: tuple[str, ...], fail_on: str, code: int
) -> None:
    ran = guestclock("explain", win10, "--host-zone", "UTC", *more, "--fail-on", fail_on)
    assert ran.code == code


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("nowhere.xml",), 2, "there is no file"),
        (("{tmp}",), 2, "is a folder"),
        (("{tmp}/empty.xml",), 3, "empty"),
        (("{tmp}/two.xml",), 2, "holds 2 machines"),
        (("{tmp}/win10.xml", "--guest", "windoze"), 2, "is not one of"),
        (("{tmp}/win10.xml", "--zone", "Asia/Shangai"), 2, "did you mean Asia/Shanghai"),
    ],
)
def test_bad_input_gets_a_clear_line(
    guestclock: Run, win10: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    folder = win10.parent
    (folder / "empty.xml").touch()
    other = WINDOWS.replace("8a11", "8a12").replace("win10", "win11")
    (folder / "two.xml").write_text(f"<domains>{WINDOWS}{other}</domains>")
    ran = guestclock("explain", *(word.format(tmp=folder) for word in arguments))
    assert ran.code == code
    assert says in ran.err
    assert not ran.out


def test_names_from_strangers_cannot_write_to_the_terminal(guestclock: Run, tmp_path: Path) -> None:
    file = tmp_path / "evil.xml"
    file.write_text(
        "<domain><name>[red]x[/]</name><clock offset='timezone' timezone='[b]'/></domain>"
    )
    ran = guestclock("explain", file)
    assert "[red]x[/]" in ran.out
    assert "timezone='[b]'" in ran.out
