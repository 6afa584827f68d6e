"""What a lab's host does, the same on libvirt and on plain QEMU."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor.interface import Kind
from guestclock.platforms.libvirt.dialect import format_clock, parse_clock
from tests.real.labhost import (
    HOUR,
    NAME,
    PATIENCE,
    Lab,
    about,
    in_zone,
    lab_in,
    offset,
    seconds_until,
)

pytestmark = pytest.mark.real

SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"
LOCALTIME = "<clock offset='localtime'/>"
UTC_CLOCK = "<clock offset='utc'/>"


@pytest.fixture(params=["libvirt", "qemu"])
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def lab(kind: Kind, tmp_path: Path) -> Iterator[Lab]:
    with lab_in(tmp_path, kind) as lab:
        yield lab


def clock_of(xml: str | None) -> str:
    assert xml is not None
    return format_clock(parse_clock(etree.fromstring(xml)))


def shape(element: etree._Element) -> object:
    """An element to the letter, but for the white space and the kind of quotes."""
    return element.tag, dict(element.items()), [shape(child) for child in element]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", "<clock offset='utc'/>"),
        ("<clock offset='utc'/>", "<clock offset='utc'/>"),
        (
            "<clock offset='localtime' adjustment='-7200'/>",
            "<clock offset='variable' adjustment='-7200' basis='localtime'/>",
        ),
        (
            "<clock offset='timezone' timezone='Bogus/Nowhere'/>",
            "<clock offset='timezone' timezone='Bogus/Nowhere'/>",
        ),
        (
            "<clock offset='utc'><timer name='pit' tickpolicy='delay'/></clock>",
            "<clock offset='utc'>\n  <timer name='pit' tickpolicy='delay'/>\n</clock>",
        ),
    ],
)
def test_a_definition_keeps_the_normal_form_of_its_clock(lab: Lab, given: str, kept: str) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(given))
    written = etree.fromstring(host.definition(NAME)).findall("clock")
    assert [shape(clock) for clock in written] == [shape(etree.fromstring(kept))]
    assert host.names() == [NAME]
    assert host.live_definition(NAME) is None


def test_a_clock_that_libvirt_refuses_is_refused(lab: Lab) -> None:
    with pytest.raises(LabError, match="clock"):
        lab.host("a", SHANGHAI).define(lab.definition("<clock offset='sync'/>"))


def test_localtime_starts_in_the_zone_of_the_host(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    assert offset(host) == about(8 * HOUR)


def test_a_zone_of_its_own_and_utc_do_not_ask_the_host(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    for clock, expected in (
        ("<clock offset='timezone' timezone='Asia/Kolkata'/>", about(5.5 * HOUR)),
        (UTC_CLOCK, about(0)),
    ):
        host.define(lab.definition(clock))
        host.start(NAME)
        assert offset(host) == expected
        host.destroy(NAME)


def test_a_variable_clock_counts_from_the_hosts_zone_and_is_fixed_at_the_start(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition("<clock offset='variable' adjustment='3600' basis='localtime'/>"))
    host.start(NAME)
    assert offset(host) == about(9 * HOUR)
    live = parse_clock(etree.fromstring(host.live_definition(NAME) or ""))
    assert "basis='utc'" in format_clock(live)
    assert "basis='localtime'" in clock_of(host.definition(NAME))


def test_another_zone_counts_from_the_next_cold_start_only(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    host.set_zone(NEW_YORK)
    assert host.zone == NEW_YORK
    host.reset(NAME)
    assert offset(host) == about(8 * HOUR)
    host.destroy(NAME)
    host.start(NAME)
    assert offset(host) == in_zone(NEW_YORK)


def test_an_unknown_zone_is_refused_and_the_old_one_stays(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    for zone in ("Bogus/Nowhere", "../../../etc/passwd", ""):
        with pytest.raises(LabError, match="no zone"):
            host.set_zone(zone)
    assert host.zone == SHANGHAI


def test_a_reset_keeps_the_process_and_what_the_guest_wrote(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(UTC_CLOCK))
    host.start(NAME)
    pid = host.pid(NAME)
    with lab.console() as console:
        rtc = console.state().rtc
        console.set_rtc(rtc.replace(year=rtc.year + 1))
        host.reset(NAME)
        console.wait_boot(PATIENCE, again=True)
    assert host.pid(NAME) == pid
    assert host.rtc(NAME).year == rtc.year + 1


def test_a_new_definition_of_a_running_machine_counts_from_the_next_cold_start(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(UTC_CLOCK))
    host.start(NAME)
    host.define(lab.definition(LOCALTIME))
    assert offset(host) == about(0)
    assert clock_of(host.live_definition(NAME)) == UTC_CLOCK
    assert clock_of(host.definition(NAME)) == LOCALTIME
    host.destroy(NAME)
    host.start(NAME)
    assert offset(host) == about(8 * HOUR)


def test_an_obeying_guest_goes_off_by_the_power_button(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(UTC_CLOCK))
    host.start(NAME)
    lab.console().close()
    host.press_power_button(NAME)
    assert host.wait_off(NAME, PATIENCE)
    assert not host.running(NAME)
    assert host.pid(NAME) is None
    host.start(NAME)
    assert host.running(NAME)


def test_a_deaf_guest_stays_on(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(UTC_CLOCK, deaf=True))
    host.start(NAME)
    lab.console().close()
    host.press_power_button(NAME)
    assert not host.wait_off(NAME, 0.5)
    assert host.running(NAME)


def test_what_is_off_or_absent_can_be_turned_off_and_forgotten(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.destroy(NAME)
    host.undefine(NAME)
    assert host.wait_off(NAME, 0)
    assert not host.running(NAME)
    host.define(lab.definition(UTC_CLOCK))
    host.destroy(NAME)
    host.undefine(NAME)
    assert host.names() == []
    for ask in (host.definition, host.start, host.reset, host.rtc, host.save, host.restore):
        with pytest.raises(LabError):
            ask(NAME)


def test_a_machine_starts_once(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(UTC_CLOCK))
    host.start(NAME)
    pid = host.pid(NAME)
    with pytest.raises(LabError, match="running"):
        host.start(NAME)
    assert host.pid(NAME) == pid


def test_a_pause_keeps_the_rtc(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    host.suspend(NAME)
    assert host.running(NAME)
    assert offset(host) == about(8 * HOUR)
    host.resume(NAME)
    assert offset(host) == about(8 * HOUR)


def test_a_saved_state_keeps_the_rtc_and_is_taken_up_once(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    with lab.console() as console:
        before = console.state()
    host.save(NAME)
    assert not host.running(NAME)
    host.set_zone(NEW_YORK)
    host.restore(NAME)
    assert offset(host) == about(8 * HOUR)
    # The same guest goes on: it does not boot again.
    with lab.console() as console:
        assert console.state().bias_minutes == before.bias_minutes
    host.destroy(NAME)
    with pytest.raises(LabError, match="no saved state"):
        host.restore(NAME)
    host.start(NAME)
    assert offset(host) == in_zone(NEW_YORK)


def test_start_takes_up_a_saved_state(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition(LOCALTIME))
    host.start(NAME)
    host.save(NAME)
    host.define(lab.definition(UTC_CLOCK))
    host.start(NAME)
    assert offset(host) == about(8 * HOUR)
    host.destroy(NAME)
    host.start(NAME)
    assert offset(host) == about(0)


def test_a_machine_moves_with_its_rtc_its_console_and_its_definition(lab: Lab) -> None:
    here, there = lab.host("a", SHANGHAI), lab.host("b", NEW_YORK)
    here.define(lab.definition(LOCALTIME))
    here.start(NAME)
    lab.console().close()
    for source, target in ((here, there), (there, here), (here, there)):
        source.migrate(NAME, target)
        assert not source.running(NAME)
        assert source.names() == []
        assert target.names() == [NAME]
        assert offset(target) == about(8 * HOUR)
        with lab.console() as console:
            assert (console.state().rtc - target.rtc(NAME)).total_seconds() == about(0)
    there.destroy(NAME)
    there.start(NAME)
    assert offset(there) == in_zone(NEW_YORK)
    with lab.console() as console:
        assert (console.state().rtc - there.rtc(NAME)).total_seconds() == about(0)


def test_a_machine_does_not_move_to_a_host_of_another_kind(lab: Lab, kind: Kind) -> None:
    here = lab.host("a", SHANGHAI)
    here.define(lab.definition(UTC_CLOCK))
    here.start(NAME)
    other = Lab(lab.folder, "qemu" if kind == "libvirt" else "libvirt")
    with pytest.raises(LabError, match="cannot move"):
        here.migrate(NAME, other.host("b", SHANGHAI))
    assert here.running(NAME)


def test_a_machine_does_not_move_when_it_is_off(lab: Lab) -> None:
    here, there = lab.host("a", SHANGHAI), lab.host("b", NEW_YORK)
    here.define(lab.definition(UTC_CLOCK))
    with pytest.raises(LabError):
        here.migrate(NAME, there)
    assert (here.names(), there.names()) == ([NAME], [])


def test_time_travel_moves_a_running_rtc_and_the_next_start(kind: Kind, tmp_path: Path) -> None:
    with lab_in(tmp_path, kind, travels=True) as lab:
        assert lab.time is not None
        winter, summer = datetime(2035, 1, 15, tzinfo=UTC), datetime(2035, 7, 15, tzinfo=UTC)
        lab.time.write_text(f"+{seconds_until(winter)}\n")
        host = lab.host("a", NEW_YORK)
        host.define(lab.definition(LOCALTIME))
        host.start(NAME)
        assert offset(host) == about(seconds_until(winter) - 5 * HOUR)
        lab.time.write_text(f"+{seconds_until(summer)}\n")
        # A step of the host's clock moves the RTC; a new offset from UTC does not.
        assert offset(host) == about(seconds_until(summer) - 5 * HOUR)
        host.destroy(NAME)
        host.start(NAME)
        assert offset(host) == about(seconds_until(summer) - 4 * HOUR)
        host.define(lab.definition("<clock offset='variable' adjustment='0' basis='localtime'/>"))
        host.destroy(NAME)
        host.start(NAME)
        assert offset(host) == about(seconds_until(summer) - 4 * HOUR)
        assert clock_of(host.live_definition(NAME)) == (
            "<clock offset='variable' adjustment='-14400' basis='utc'/>"
        )
        host.save(NAME)
        host.restore(NAME)
        there = lab.host("b", SHANGHAI)
        host.migrate(NAME, there)
        assert offset(there) == about(seconds_until(summer) - 4 * HOUR)
        lab.time.write_text("+0\n")
        assert offset(there) == about(-4 * HOUR)


def test_a_guests_own_write_shows_in_the_live_variable_clock(lab: Lab) -> None:
    host = lab.host("a", SHANGHAI)
    host.define(lab.definition("<clock offset='variable' adjustment='0' basis='utc'/>"))
    host.start(NAME)
    with lab.console() as console:
        rtc = console.state().rtc
        console.set_rtc(rtc.replace(year=rtc.year + 1))
        console.state()
    host.rtc(NAME)
    live = clock_of(host.live_definition(NAME))
    assert "adjustment='0'" not in live
    assert "adjustment='0'" in clock_of(host.definition(NAME))
