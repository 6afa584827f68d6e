from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.clock import Absolute, Clock, Localtime, Timer, Track, Utc, Variable, Zone
from guestclock.machine import Hardware
from guestclock.platforms.qemu.dialect import (
    NoQemu,
    clock_of,
    clock_with,
    parse_text,
    parse_words,
    rtc_text,
)
from guestclock.rtc import BadRtcArguments, RtcArguments, parse_arguments

LIBVIRT = """/usr/bin/qemu-system-x86_64 -name guest=win10,debug-threads=on -S
    -object '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/key"}'
    -machine pc-q35-7.2,usb=off,dump-guest-core=off -accel kvm -cpu host,hv-time=on,hv-relaxed=on
    -m 2048 -uuid 4DEA22B3-1d52-d8f3-2516-782e98ab3fa0 -display none -no-user-config -nodefaults
    -rtc base=localtime,driftfix=slew -no-shutdown -boot strict=on"""


def test_the_command_line_of_libvirt() -> None:
    line = parse_text(LIBVIRT.replace("\n", " \\\n"))
    assert line.name == "win10"
    assert line.uuid == "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
    assert line.arguments == RtcArguments("localtime", slew=True)
    assert line.hardware == Hardware("kvm", "x86_64", "pc-q35-7.2")
    assert line.hyperv
    assert line.environment_zone is None


@pytest.mark.parametrize(
    ("text", "hardware"),
    [
        ("qemu-system-aarch64 -M virt,accel=kvm:tcg", Hardware("kvm", "aarch64", "virt")),
        ("qemu-system-x86_64 -M q35 -enable-kvm", Hardware("kvm", "x86_64", "q35")),
        ("qemu-system-x86_64 -machine type=pc,accel=tcg", Hardware("qemu", "x86_64", "pc")),
        ("qemu-system-s390x -accel accel=kvm", Hardware("kvm", "s390x", "")),
        ("qemu-system-x86_64 -accel tcg,thread=multi", Hardware("qemu", "x86_64", "")),
        ("/usr/libexec/qemu-kvm -machine microvm", Hardware("kvm", "", "microvm")),
        ("qemu-system-x86_64", Hardware("qemu", "x86_64", "")),
    ],
)
def test_what_the_machine_is_made_of(text: str, hardware: Hardware) -> None:
    assert parse_text(text).hardware == hardware


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("-rtc base=utc", RtcArguments()),
        ("-rtc base=localtime,clock=vm", RtcArguments("localtime", Track.VM)),
        ("-rtc base=localtime -rtc clock=rt -rtc base=utc", RtcArguments("utc", Track.RT)),
        ("--rtc base=2020-01-01", RtcArguments("2020-01-01")),
        (
            "qemu-system-x86_64 -S -rtc 'base=2020-01-01T00:00:00'",
            RtcArguments("2020-01-01T00:00:00"),
        ),
        ("qemu-system-x86_64 disk.img -snapshot -rtc clock=vm", RtcArguments("utc", Track.VM)),
        ("qemu-system-x86_64", RtcArguments()),
        ("exec qemu-system-i386 -name -rtc -rtc base=localtime", RtcArguments("localtime")),
    ],
)
def test_rtc_options_are_merged_and_the_last_key_wins(text: str, arguments: RtcArguments) -> None:
    assert parse_text(text).arguments == arguments


def test_an_assignment_before_the_program_is_its_environment() -> None:
    line = parse_text("FOO=1 TZ=Asia/Tokyo LC_ALL=C qemu-system-x86_64 -rtc base=localtime")
    assert line.environment_zone == "Asia/Tokyo"
    assert clock_of(line.arguments, line.environment_zone) == Clock(Zone("Asia/Tokyo"))


def test_a_script_around_the_command_and_its_comments() -> None:
    command = "exec env TZ=Asia/Tokyo qemu-system-x86_64 -rtc base=localtime # late"
    text = f"#!/bin/sh\n# our vm\n{command}\n"
    line = parse_text(text)
    assert (line.environment_zone, line.arguments.base) == ("Asia/Tokyo", "localtime")


@pytest.mark.parametrize("text", ["", "ls -l", "echo 'unclosed", "-name x", "TZ=UTC", "-rtc"])
def test_a_text_that_is_no_command_line_is_refused(text: str) -> None:
    if text == "-rtc":
        assert parse_text(text).arguments == RtcArguments()
        return
    with pytest.raises(NoQemu):
        parse_text(text)


def test_names_as_libvirt_and_as_people_write_them() -> None:
    assert parse_words(["qemu-kvm", "-name", "plain"]).name == "plain"
    assert parse_words(["qemu-kvm", "-name", "guest=a,,b,process=p"]).name == "a,b"
    assert parse_words(["qemu-kvm", "-name", '{"guest":"json"}']).name == "json"
    assert parse_words(["qemu-kvm", "-name", "{broken"]).name == ""


def test_a_value_that_looks_like_the_option_is_not_taken_for_it() -> None:
    assert rtc_text(["-append", "-rtc", "-name", "x"]) is None


@pytest.mark.parametrize(
    ("rtc", "zone", "clock"),
    [
        ("", None, Clock(Utc())),
        ("base=localtime", None, Clock(Localtime())),
        ("base=localtime", "Asia/Tokyo", Clock(Zone("Asia/Tokyo"))),
        ("base=utc", "Asia/Tokyo", Clock(Utc())),
        ("base=2020-01-01", "Asia/Tokyo", Clock(Absolute(1577836800))),
        ("clock=vm", None, Clock(Utc(), (Timer("rtc", track="guest"),))),
        ("driftfix=slew", None, Clock(Utc(), (Timer("rtc", tickpolicy="catchup"),))),
    ],
)
def test_the_definition_that_a_command_line_is(rtc: str, zone: str | None, clock: Clock) -> None:
    found = clock_of(parse_arguments(rtc), zone)
    assert found == clock
    assert found.track is parse_arguments(rtc).track
    assert found.slews is parse_arguments(rtc).slew


def test_a_later_rtc_option_changes_only_what_it_names() -> None:
    timers = (Timer("rtc", tickpolicy="catchup", track="guest"), Timer("pit"))
    clock = Clock(Variable(5), timers)
    assert clock_with(clock, "base=utc") == Clock(Utc(), timers)
    changed = clock_with(clock, "clock=rt")
    assert (changed.base, changed.track, changed.slews) == (Variable(5), Track.RT, True)
    assert not clock_with(clock, "driftfix=none").slews
    assert clock_with(Clock(), "clock=host").track is Track.HOST


def test_an_rtc_option_that_qemu_refuses_is_refused() -> None:
    with pytest.raises(BadRtcArguments):
        clock_with(Clock(), "base=now")


@given(st.text())
def test_any_text_is_a_command_line_or_none(text: str) -> None:
    try:
        line = parse_text(text)
    except NoQemu:
        return
    assert line.program or line.rtc is not None
