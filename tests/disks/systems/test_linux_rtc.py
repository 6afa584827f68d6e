"""Which file says how a Linux takes its RTC, and what it says there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.disks.builders.linux import linux_files
from tests.disks.builders.tree import Files, Link
from tests.disks.systems.asking import codes_of, gap_of, system_of, trace_of

SYSTEMD: Files = {"sbin/init": Link("/lib/systemd/systemd"), "lib/systemd/systemd": b"\x7fELF"}
SYSVINIT: Files = {"sbin/init": b"\x7fELF", "etc/inittab": b"si::sysinit:/etc/init.d/rcS\n"}


Tree = dict[str, bytes | Link]


def bare(**files: bytes | Link) -> Tree:
    return {"etc/os-release": b"ID=x\nVERSION_ID=1\n", **files}


def rtc_of(files: Files) -> str:
    return system_of(files).rtc


@pytest.mark.parametrize("distribution", ["debian", "fedora", "alpine", "gentoo", "void", "sles"])
@pytest.mark.parametrize("rtc", ["utc", "local"])
def test_each_distribution_is_read_where_it_says_it(distribution: str, rtc: str) -> None:
    system = system_of(linux_files(distribution=distribution, rtc=rtc))
    assert system.rtc == rtc
    assert not [gap for gap in system.gaps if gap.what == "rtc"]


@pytest.mark.parametrize("distribution", ["debian", "alpine", "void"])
def test_one_that_says_nothing_takes_utc(distribution: str) -> None:
    assert rtc_of(linux_files(distribution=distribution, rtc=None)) == "utc"


@pytest.mark.parametrize(
    ("third", "rtc"),
    [
        ("0.0 0 0\n0\nLOCAL\n", "local"),
        ("0.0 0 0\n0\nLOCAL", "local"),
        ("0.0 0 0\r\n0\r\nLOCAL\r\n", "local"),
        ("0.0 0 0\n0\nUTC\n", "utc"),
        ("0.0 0 0\n0\nlocal\n", "utc"),
        ("0.0 0 0\n0\nLOCAL \n", "utc"),
        ("0.0 0 0\n0\nLOCALTIME\n", "utc"),
        ("0.0 0 0\n0\n\nLOCAL\n", "utc"),
        ("LOCAL\n", "utc"),
        ("0.0 0 0\n0\n", "utc"),
        ("0.0 0 0\n0", "utc"),
        ("", "utc"),
        ("\0\0\0\n\n\u2028LOCAL", "utc"),
    ],
)
def test_the_third_line_of_adjtime_is_local_or_anything_else(third: str, rtc: str) -> None:
    system = system_of({**bare(), **SYSTEMD, "etc/adjtime": third.encode()})
    assert system.rtc == rtc
    assert trace_of(system, "rtc").path == "/etc/adjtime"


def test_the_evidence_names_the_line_and_what_stands_there() -> None:
    trace = trace_of(system_of(linux_files(rtc="local")), "rtc")
    assert (trace.path, trace.key, trace.raw) == ("/etc/adjtime", "line 3", "LOCAL")
    trace = trace_of(system_of(linux_files(rtc=None)), "rtc")
    assert (trace.path, trace.raw) == ("/etc/adjtime", "there is no such file")


def test_openrc_does_not_go_by_adjtime() -> None:
    local = {"etc/adjtime": b"0 0 0\n0\nLOCAL\n"}
    system = system_of(linux_files(distribution="alpine", rtc="utc", more=local))
    assert (system.rtc, system.details["init"]) == ("utc", "openrc")
    assert codes_of(system) == {"adjtime-not-used"}


@pytest.mark.parametrize("word", ["local", "utc", "localtime", "Local"])
def test_openrc_takes_all_but_utc_in_capitals_for_local_time(word: str) -> None:
    setting = {"etc/conf.d/hwclock": f"clock='{word}'\n".encode()}
    assert rtc_of(linux_files(distribution="gentoo", more=setting)) == "local"


def test_a_clock_that_no_runlevel_starts_is_unclear() -> None:
    files = dict(linux_files(distribution="alpine", rtc="local"))
    del files["etc/runlevels/boot/hwclock"]
    files["etc/runlevels/boot/modules"] = Link("/etc/init.d/modules")
    system = system_of(files)
    assert system.rtc == "unknown"
    assert gap_of(system, "rtc")[0] == "ambiguous"


def test_a_setting_that_the_shell_computes_is_unclear() -> None:
    setting = {"etc/conf.d/hwclock": b'clock="$(cat /run/clock)"\n'}
    system = system_of(linux_files(distribution="alpine", more=setting))
    assert gap_of(system, "rtc")[0] == "ambiguous"


def test_a_systemd_with_openrcs_file_beside_it_goes_by_adjtime() -> None:
    files = linux_files(rtc="utc", more={"etc/conf.d/hwclock": b'clock="local"\n'})
    assert rtc_of(files) == "utc"


def test_without_an_init_in_sight_settings_that_disagree_are_unclear() -> None:
    both = bare(**{"etc/conf.d/hwclock": b'clock="local"\n'})
    assert gap_of(system_of(both), "rtc")[0] == "ambiguous"
    agreed = both | {"etc/adjtime": b"0 0 0\n0\nLOCAL\n"}
    assert rtc_of(agreed) == "local"


@pytest.mark.parametrize(("word", "rtc"), [("yes", "utc"), ("no", "local")])
def test_old_debian_goes_by_rcs_where_its_script_does(word: str, rtc: str) -> None:
    files = {
        **bare(),
        **SYSVINIT,
        "etc/init.d/hwclock.sh": b'case "$UTC" in\nno) GMT=--localtime;;\nesac\n',
        "etc/default/rcS": f"TMPTIME=0\nUTC={word}\n".encode(),
    }
    assert rtc_of(files) == rtc
    newer = files | {"etc/init.d/hwclock.sh": b"hwclock --systz $HWCLOCKPARS\n"}
    assert rtc_of(newer) == "utc"


@pytest.mark.parametrize(("word", "rtc"), [("true", "utc"), ("false", "local")])
def test_old_rhel_goes_by_sysconfig_where_its_script_does(word: str, rtc: str) -> None:
    clock = f'ZONE="Europe/Berlin"\nUTC={word}\nARC=false\n'.encode()
    files = {
        "etc/redhat-release": b"CentOS release 5.11 (Final)\n",
        **SYSVINIT,
        "etc/rc.d/rc.sysinit": b'case "$UTC" in\nyes|true) CLOCKFLAGS="--utc";;\nesac\n',
        "etc/sysconfig/clock": clock,
    }
    system = system_of(files)
    assert (system.rtc, system.id, system.version) == (rtc, "centos", "5.11")
    assert trace_of(system, "rtc").key == "UTC"
    six = files | {"etc/rc.d/rc.sysinit": b"# nothing\n", "etc/adjtime": b"0\n0\nLOCAL\n"}
    assert trace_of(system_of(six), "rtc").path == "/etc/adjtime"


@pytest.mark.parametrize(("text", "rtc"), [(b"UTC\n", "utc"), (b"localtime\n", "local")])
def test_slackware_goes_by_a_file_of_its_own(text: bytes, rtc: str) -> None:
    files = {
        "etc/slackware-version": b"Slackware 15.0\n",
        **SYSVINIT,
        "etc/rc.d/rc.S": b'if grep -q "^UTC" /etc/hardwareclock ; then\n',
    }
    assert rtc_of({**files, "etc/hardwareclock": b"# comment\n" + text}) == rtc
    assert rtc_of(files) == "local"


@pytest.mark.parametrize(("word", "rtc"), [("UTC", "utc"), ("localtime", "local")])
def test_arch_before_systemd_goes_by_rc_conf(word: str, rtc: str) -> None:
    files = {
        "etc/arch-release": b"",
        **SYSVINIT,
        "etc/rc.sysinit": b"case $HARDWARECLOCK in\nUTC) ;;\nesac\n",
        "etc/rc.conf": f'HARDWARECLOCK="{word}"\n'.encode(),
    }
    assert rtc_of(files) == rtc
    assert rtc_of(files | {"etc/rc.conf": b"HARDWARECLOCK=\n", "etc/adjtime": b"\n\nLOCAL"}) == (
        "local"
    )


def test_a_word_that_means_neither_is_unclear() -> None:
    files = linux_files(distribution="void", more={"etc/rc.conf": b"HARDWARECLOCK=perhaps\n"})
    reason, detail = gap_of(system_of(files), "rtc")
    assert reason == "ambiguous"
    assert "'perhaps'" in detail


def test_a_loop_of_links_is_damaged_and_not_utc() -> None:
    files = linux_files(rtc=None, more={"etc/adjtime": Link("adjtime")})
    system = system_of(files)
    assert system.rtc == "unknown"
    assert gap_of(system, "rtc")[0] == "damaged"
    assert system.zone == "Europe/Berlin"


CONFIGS = (
    "etc/adjtime",
    "etc/conf.d/hwclock",
    "etc/rc.conf",
    "etc/default/rcS",
    "etc/sysconfig/clock",
    "etc/hardwareclock",
    "etc/inittab",
    "etc/os-release",
    "etc/timezone",
    "etc/localtime",
    "etc/environment",
    "etc/TZ",
    "etc/config/system",
    "etc/chrony/chrony.conf",
    "etc/ntp.conf",
    "etc/cloud/cloud.cfg",
    "etc/init.d/hwclock.sh",
)
WORDS = (
    "UTC LOCAL = 0 clock \" ' \\ $UTC yes no CET-1 / \0 zoneinfo/ Europe/Berlin tinker panic \u2028"
)
PIECES = st.sampled_from([*WORDS.split(" "), "\n", "\r", "TZif2", "makestep 1 3"])
TEXTS = st.lists(PIECES | st.text(max_size=4), max_size=12).map(lambda one: "".join(one).encode())
CONTENTS = TEXTS | st.binary(max_size=60)


@settings(max_examples=300)
@given(
    st.dictionaries(st.sampled_from(CONFIGS), CONTENTS | TEXTS.map(lambda b: Link(b.decode()))),
    st.sampled_from(["", "sbin/init"]),
)
def test_whatever_stands_in_the_files_there_is_an_answer_or_a_reason(
    files: dict[str, bytes | Link], init: str
) -> None:
    more = {init: b"\x7fELF"} if init else {}
    system = system_of({"etc/debian_version": b"12.5\n", **more, **files})
    assert system.family == "linux"
    lacking = {gap.what for gap in system.gaps}
    assert (system.rtc == "unknown") == ("rtc" in lacking)
    assert (system.zone is None) == ("zone" in lacking)
    if system.rtc != "unknown":
        assert trace_of(system, "rtc")
