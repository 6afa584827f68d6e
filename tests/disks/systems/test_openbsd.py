"""OpenBSD: minutes east of UTC in sysctl.conf."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.disks.builders.bsd import openbsd_files
from tests.disks.systems.asking import gap_of, system_of, trace_of


@pytest.mark.parametrize(
    ("offset", "rtc", "minutes"), [(None, "utc", 0), (0, "utc", 0), (-300, "local", -300)]
)
def test_the_offset_is_what_sysctl_conf_says(offset: int | None, rtc: str, minutes: int) -> None:
    system = system_of(openbsd_files(utc_offset_minutes=offset))
    assert (system.family, system.version, system.zone) == ("openbsd", "7.6", "Europe/Berlin")
    assert (system.rtc, system.utc_offset_minutes) == (rtc, minutes)
    assert trace_of(system, "utc_offset_minutes").key == "kern.utc_offset"


@pytest.mark.parametrize("value", ["", "east", "9999", "12345678901234567890", "1e2", "٣٠٠"])
def test_what_is_no_number_of_minutes_is_unclear(value: str) -> None:
    files = openbsd_files(more={"etc/sysctl.conf": f"kern.utc_offset={value}\n".encode()})
    system = system_of(files)
    assert (system.rtc, system.utc_offset_minutes) == ("unknown", None)
    assert gap_of(system, "rtc")[0] == gap_of(system, "utc_offset_minutes")[0] == "ambiguous"


def test_a_comment_sets_nothing() -> None:
    assert system_of(openbsd_files(more={"etc/sysctl.conf": b"#kern.utc_offset=60\n"})).rtc == "utc"


def test_the_version_is_in_the_keys_where_the_message_was_changed() -> None:
    system = system_of(openbsd_files(more={"etc/motd": b"Welcome\n"}))
    assert (system.version, system.name) == ("7.6", "OpenBSD 7.6")
    assert trace_of(system, "version").path == "/etc/signify"


def test_ntpd_runs_unless_it_is_told_not_to() -> None:
    assert system_of(openbsd_files()).details["time_services_enabled"] == ["openntpd"]
    off = openbsd_files(more={"etc/rc.conf.local": b"ntpd_flags=NO\n"})
    assert system_of(off).details["time_services_enabled"] == []


@given(st.text(max_size=40) | st.sampled_from(["kern.utc_offset=+5", "kern.utc_offset = 5 # x"]))
def test_any_text_gives_an_answer_or_a_reason(text: str) -> None:
    data = text.encode("utf-8", "replace")
    system = system_of(openbsd_files(more={"etc/sysctl.conf": data, "etc/motd": data}))
    assert (system.rtc == "unknown") == (system.utc_offset_minutes is None)
