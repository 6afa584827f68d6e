"""The dialect against libvirt itself, whose test driver has the same parser as all others.

What is accepted, what is refused and the normal form must be the same; the texts of messages
differ from release to release.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

import libvirt
import pytest
from lxml import etree

from guestclock.platforms.libvirt.dialect import BadClock, format_clock, parse_clock
from tests.platforms.libvirt.clocks import random_clock

pytestmark = pytest.mark.real

CASES = 12_000


@pytest.fixture(scope="module")
def by_libvirt() -> Iterator[Callable[[str], str | None]]:
    """What libvirt makes of clocks: its normal form, or None where it refuses them."""
    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.open("test:///default")

    def normal(clocks: str) -> str | None:
        machine = "<name>d</name><memory>1024</memory><os><type>hvm</type></os>"
        xml = f"<domain type='test'>{machine}{clocks}</domain>"
        try:
            domain = connection.defineXML(xml)
        except libvirt.libvirtError:
            return None
        try:
            return _clock_in(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE))
        finally:
            domain.undefine()

    yield normal
    connection.close()


def _clock_in(xml: str) -> str:
    found = re.search(r"<clock[^>]*/>|<clock.*?</clock>", xml, re.DOTALL)
    assert found
    return found[0]


def _by_guestclock(clocks: str) -> str | None:
    try:
        return format_clock(parse_clock(etree.fromstring(f"<domain>{clocks}</domain>")))
    except BadClock:
        return None


def _squeezed(xml: str | None) -> str | None:
    return None if xml is None else re.sub(r">\s+<", "><", " ".join(xml.split(" ")))


def _plain(xml: str | None) -> list[tuple[str, dict[str, str]]] | None:
    """Every element with its attributes, so that quotes and white space do not count."""
    if xml is None:
        return None
    return [
        (str(one.tag), {str(k): str(v) for k, v in one.attrib.items()})
        for one in etree.fromstring(xml).iter()
    ]


@pytest.mark.parametrize("seed", range(4))
def test_libvirt_and_guestclock_agree_on_random_clocks(
    seed: int, by_libvirt: Callable[[str], str | None]
) -> None:
    rng = random.Random(seed)
    accepted = 0
    for _ in range(CASES // 4):
        clocks = random_clock(rng)
        expected = by_libvirt(clocks)
        assert _plain(_by_guestclock(clocks)) == _plain(expected), clocks
        accepted += expected is not None
    # Both kinds must be there in numbers, or the comparison would say little.
    assert CASES // 40 < accepted < CASES // 4 - CASES // 40


@pytest.mark.parametrize(
    "clocks",
    [
        "<clock offset='timezone' timezone='a&amp;b&quot;c&apos;&lt;'/>",
        "<clock offset='localtime'><timer name='rtc' track='guest' tickpolicy='catchup'>"
        "<catchup threshold='1' slew='2' limit='3'/></timer><timer name='pit'/></clock>",
    ],
)
def test_the_very_text_is_that_of_libvirt(
    clocks: str, by_libvirt: Callable[[str], str | None]
) -> None:
    assert _squeezed(_by_guestclock(clocks)) == _squeezed(by_libvirt(clocks))
