from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guestclock.clock import Absolute, Base, Basis, Localtime, Utc, Variable, Zone, describe
from guestclock.platforms.libvirt.clock_tag import NoClock, base_in, with_words, words_of
from guestclock.platforms.libvirt.dialect import BadClock

DEFINITION = """<domain type='kvm'>
  <name>a</name>
  <description>
  &lt;clock offset='localtime'/&gt;
  </description>
  <metadata>
    <x:clock xmlns:x="urn:x" offset='localtime'/>
  </metadata>
  <clock offset='utc'>
    <timer name='rtc' tickpolicy='catchup'/>
  </clock>
  <!-- <clock offset='localtime'/> -->
</domain>
"""
BASES: tuple[Base, ...] = (
    Utc(),
    Utc(reset=True),
    Localtime(),
    Localtime(reset=True),
    Zone("Asia/Shanghai"),
    Variable(-3600),
    Variable(28800, Basis.LOCALTIME),
    Absolute(946684800),
)


@pytest.mark.parametrize("base", BASES)
def test_only_the_start_tag_changes_and_changes_back(base: Base) -> None:
    words = describe(base)
    assert base_in(words) == base
    changed = with_words(DEFINITION, words)
    assert words_of(changed) == words
    before, after = DEFINITION.split("\n"), changed.split("\n")
    assert [number for number, line in enumerate(before) if after[number] != line] in ([], [8])
    assert with_words(changed, "offset='utc'") == DEFINITION


def test_a_tag_that_is_closed_at_once_stays_so() -> None:
    definition = "<domain>\n  <clock offset='utc'/>\n</domain>"
    assert (
        with_words(definition, "offset='localtime'").split("\n")[1]
        == "  <clock offset='localtime'/>"
    )


@pytest.mark.parametrize(
    "definition",
    [
        "<domain>\n</domain>",
        "<domain>\n  <clock\n offset='utc'/>\n</domain>",
        "<domain><clock offset='utc'/></domain>",
        "<domain>\n  <clock offset='utc'/>\n  <clock offset='utc'/>\n</domain>",
    ],
)
def test_what_libvirt_would_not_have_written_is_left_alone(definition: str) -> None:
    with pytest.raises(NoClock):
        words_of(definition)


@given(st.text(alphabet="ofsetuclim='<>/& \"\n0az", max_size=40))
def test_only_words_of_a_clock_are_taken(words: str) -> None:
    try:
        base = base_in(words)
    except BadClock:
        return
    assert describe(base) == words


@pytest.mark.parametrize(
    "words",
    ["", "offset='utc'/><x a='b'", "offset='utc'  ", "offset='utc' extra='1'", "offset='bios'"],
)
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(BadClock):
        base_in(words)
