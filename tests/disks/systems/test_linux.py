"""Which Linux it is, and that a part that cannot be read does not hide the rest."""

from __future__ import annotations

import pytest

from guestclock.disks.budget import Limits
from guestclock.disks.problem import Damaged, OverLimit
from guestclock.disks.systems.assignments import assignments, short
from tests.disks.builders.linux import linux_files
from tests.disks.builders.tree import Files, Link
from tests.disks.systems.asking import gap_of, system_of, systems_of, trace_of


@pytest.mark.parametrize(
    ("distribution", "id", "version"),
    [("debian", "debian", "12"), ("ubuntu", "ubuntu", "24.04"), ("alpine", "alpine", "3.20.3")],
)
def test_os_release_names_it(distribution: str, id: str, version: str) -> None:
    system = system_of(linux_files(distribution=distribution))
    assert (system.family, system.id, system.version) == ("linux", id, version)
    assert trace_of(system, "version").key == "VERSION_ID"


def test_a_rolling_release_has_no_version() -> None:
    system = system_of(linux_files(distribution="void"))
    assert (system.name, system.version) == ("Void Linux", None)
    assert gap_of(system, "version")[0] == "not-recorded"


@pytest.mark.parametrize(
    ("path", "line", "id", "name", "version"),
    [
        ("etc/debian_version", "7.11", "debian", "Debian GNU/Linux 7.11", "7.11"),
        ("etc/alpine-release", "3.2.0", "alpine", "Alpine Linux 3.2.0", "3.2.0"),
        ("etc/redhat-release", "CentOS release 6.10 (Final)", "centos", None, "6.10"),
        ("etc/redhat-release", "Red Hat Enterprise Linux Server 5.11", "rhel", None, "5.11"),
        ("etc/SuSE-release", "SUSE Linux Enterprise Server 11 (x86_64)", "suse", None, "11"),
        ("etc/slackware-version", "Slackware 14.2", "slackware", None, "14.2"),
    ],
)
def test_the_files_from_before_os_release_name_it(
    path: str, line: str, id: str, name: str | None, version: str
) -> None:
    system = system_of({path: f"{line}\nmore\n".encode()})
    assert (system.id, system.name, system.version) == (id, name or line, version)


def test_lsb_release_names_it() -> None:
    text = b'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=10.04\nDISTRIB_DESCRIPTION="Ubuntu 10.04.4 LTS"\n'
    system = system_of({"etc/lsb-release": text, "etc/debian_version": b"squeeze/sid\n"})
    assert (system.id, system.name, system.version) == ("ubuntu", "Ubuntu 10.04.4 LTS", "10.04")


def test_an_os_release_in_another_part_of_the_disk_is_still_a_linux() -> None:
    files: Files = {"etc/os-release": Link("../usr/lib/os-release"), "etc/systemd/system/": b""}
    system = system_of(files)
    assert (system.name, system.rtc, system.details["init"]) == ("Linux", "utc", "systemd")
    assert gap_of(system, "version")[0] == "not-recorded"


def test_a_damaged_os_release_does_not_hide_the_clock() -> None:
    files = linux_files(rtc="local", more={"etc/os-release": Link("os-release")})
    system = system_of(files)
    assert gap_of(system, "version")[0] == "damaged"
    assert (system.rtc, system.zone) == ("local", "Europe/Berlin")


def test_a_folder_that_cannot_be_read_is_no_linux() -> None:
    with pytest.raises(Damaged):
        systems_of({"etc": Link("/x/etc"), "x": Link("x")})


def test_a_file_that_is_too_large_is_a_gap_of_its_own() -> None:
    files = linux_files(more={"etc/adjtime": b"x" * 5000})
    ((_, system),) = systems_of(files, limits=Limits(file=4096))
    assert gap_of(system, "rtc")[0] == "limit"
    assert system.version == "12"


def test_the_time_limit_ends_it() -> None:
    with pytest.raises(OverLimit):
        systems_of({"ostree/deploy/a/deploy/b.0/etc/": b""}, limits=Limits(timeout=-1))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ('A="b c"', "b c"),
        ("A='b $c'", "b $c"),
        ('export A="b\\"c\\$d"', 'b"c$d'),
        ("  A=b # comment", "b"),
        ("A=b; B=c", "b"),
        ("A=b'c'\"d\"", "bcd"),
        ("A=b\\ c", "b c"),
        ("A=", ""),
        ("A=b\r", "b"),
    ],
)
def test_a_setting_is_what_a_shell_takes_it_for(line: str, value: str) -> None:
    assert assignments(f"# first\n{line}\n")["A"] == value


@pytest.mark.parametrize("line", ["#A=b", "A b", "A =b", "if A=b", "=b", "1A=b"])
def test_other_lines_set_nothing(line: str) -> None:
    assert "A" not in assignments(line)


def test_a_name_has_no_control_characters() -> None:
    text = 'ID=x\nVERSION_ID=1\nPRETTY_NAME="\x1b[31mred\u202e"\n'
    assert system_of({"etc/os-release": text.encode()}).name == "?[31mred?"


def test_settings_longer_than_any_are_not_taken_apart() -> None:
    system = system_of(linux_files(more={"etc/adjtime": b"\n" * (1 << 20)}))
    assert gap_of(system, "rtc")[0] == "limit"


def test_a_text_in_a_message_is_short() -> None:
    assert len(short("x" * 1000)) == 120
