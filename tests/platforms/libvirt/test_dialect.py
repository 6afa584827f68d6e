from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from guestclock.clock import (
    Absolute,
    Basis,
    Catchup,
    Clock,
    Localtime,
    Timer,
    Track,
    Utc,
    Variable,
    Zone,
    describe,
)
from guestclock.platforms.libvirt.dialect import (
    MODES,
    TICK_POLICIES,
    TRACKS,
    BadClock,
    format_clock,
    parse_clock,
    parse_timer,
    parse_timer_attributes,
)
from tests.platforms.libvirt.clocks import random_clock


def parse(clocks: str) -> Clock:
    return parse_clock(etree.fromstring(f"<domain>{clocks}</domain>"))


xml_text = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)
int64 = st.integers(-(2**63), 2**63 - 1)
uint64 = st.integers(0, 2**64 - 1)
bases = st.one_of(
    st.builds(Utc, st.booleans()),
    st.builds(Localtime, st.booleans()),
    st.builds(Zone, xml_text),
    st.builds(Variable, int64, st.sampled_from(Basis)),
    st.builds(Absolute, uint64),
)
present = st.sampled_from((None, True, False))
policies = st.sampled_from((None, *TICK_POLICIES))
timers = st.one_of(
    st.builds(
        Timer,
        name=st.sampled_from(("platform", "rtc")),
        present=present,
        tickpolicy=policies,
        track=st.sampled_from((None, *TRACKS)),
    ),
    st.builds(
        Timer,
        name=st.sampled_from(("pit", "hpet", "armvtimer")),
        present=present,
        tickpolicy=st.just("catchup"),
        catchup=st.builds(Catchup, uint64, uint64, uint64),
    ),
    st.builds(
        Timer,
        name=st.just("tsc"),
        present=present,
        frequency=uint64,
        mode=st.sampled_from((None, *MODES)),
    ),
    st.builds(Timer, name=st.sampled_from(("kvmclock", "hypervclock")), present=present),
)
clocks = st.builds(Clock, bases, st.lists(timers, max_size=5).map(tuple))


@given(clocks)
def test_what_is_written_reads_back_the_same(clock: Clock) -> None:
    assert parse(format_clock(clock)) == clock


@given(st.randoms(use_true_random=False))
def test_the_normal_form_is_its_own_normal_form(rng: random.Random) -> None:
    try:
        clock = parse(random_clock(rng))
    except BadClock:
        return
    assert parse(format_clock(clock)) == clock


@given(bases)
def test_a_base_is_described_as_it_is_written(base: Utc | Localtime | Variable | Absolute) -> None:
    if not isinstance(base, Zone):
        assert format_clock(Clock(base)) == f"<clock {describe(base)}/>"


@pytest.mark.parametrize(
    ("xml", "base"),
    [
        ("", Utc()),
        ("<clock/>", Utc()),
        ("<clock offset=''/>", Utc()),
        ("<clock offset='utc' adjustment='reset'/>", Utc(reset=True)),
        ("<clock offset='localtime' adjustment=''/>", Localtime()),
        ("<clock offset='utc' adjustment='0'/>", Variable(0)),
        ("<clock offset='utc' adjustment='-3600' basis='localtime'/>", Variable(-3600)),
        ("<clock offset='localtime' adjustment='+5'/>", Variable(5, Basis.LOCALTIME)),
        ("<clock offset='variable'/>", Variable(0)),
        ("<clock offset='variable' adjustment='12x'/>", Variable(0)),
        ("<clock offset='variable' adjustment='reset' basis=''/>", Variable(0)),
        ("<clock offset='timezone' timezone='Europe/Berlim'/>", Zone("Europe/Berlim")),
        ("<clock offset='absolute' start='0'/>", Absolute(0)),
        (
            "<clock offset='localtime'/><clock offset='utc' adjustment='5'/>",
            Variable(5, Basis.LOCALTIME),
        ),
    ],
)
def test_a_clock_is_normalised_as_libvirt_does(xml: str, base: object) -> None:
    assert parse(xml).base == base


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ("<clock offset='sync'/>", "unknown clock offset 'sync'"),
        ("<clock offset='timezone'/>", "needs a timezone"),
        ("<clock offset='absolute'/>", "needs start"),
        ("<clock offset='absolute' start='-5'/>", "needs start"),
        ("<clock offset='utc' adjustment='soon'/>", "unknown clock adjustment"),
        ("<clock offset='variable' basis='gmt'/>", "unknown clock basis"),
        ("<clock><timer/></clock>", "a timer needs a name"),
        ("<clock><timer name='hpt'/></clock>", "timer name='hpt': libvirt knows platform"),
        ("<clock><timer name='rtc' present='maybe'/></clock>", "libvirt knows yes, no"),
        ("<clock><timer name='pit' track='guest'/></clock>", "only platform and rtc"),
        ("<clock><timer name='rtc' mode='auto'/></clock>", "only tsc"),
        ("<clock><timer name='kvmclock' tickpolicy='delay'/></clock>", "has no tickpolicy"),
        ("<clock><timer name='tsc' frequency='-5'/></clock>", "not a whole number"),
        (
            "<clock><timer name='rtc'><catchup slew='1'/></timer></clock>",
            "needs tickpolicy='catchup'",
        ),
    ],
)
def test_what_libvirt_refuses_is_refused(xml: str, message: str) -> None:
    with pytest.raises(BadClock, match=message):
        parse(xml)


@pytest.mark.parametrize(
    ("track", "expected"),
    [("guest", Track.VM), ("wall", Track.HOST), ("realtime", Track.RT), ("boot", Track.HOST)],
)
def test_the_rtc_timer_says_which_clock_is_tracked(track: str, expected: Track) -> None:
    clock = parse(f"<clock><timer name='rtc' track='{track}' tickpolicy='catchup'/></clock>")
    assert clock.track is expected
    assert clock.slews


def test_a_timer_is_the_same_from_its_element_and_from_its_attributes() -> None:
    element = etree.fromstring(
        "<timer name='rtc' tickpolicy='catchup'><catchup threshold='1' slew='2' limit='3'/></timer>"
    )
    catchup = element[0]
    expected = parse_timer_attributes(dict(element.attrib), dict(catchup.attrib))  # type: ignore[arg-type]
    assert parse_timer(element) == expected
    assert expected.catchup == Catchup(1, 2, 3)


def test_attributes_in_another_order_are_the_same_clock() -> None:
    first = parse("<clock offset='variable' adjustment='5' basis='localtime'/>")
    second = parse("<clock basis='localtime' adjustment='5' offset='variable'/>")
    assert first == second
