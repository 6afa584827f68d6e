from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from guestclock.machine import Machine
from guestclock.platforms.libvirt.domain import DomainReader
from tests.platforms.libvirt.folder import GOOD, Write, collect, names

NUMBERS = {
    "a": "<clock offset='variable' adjustment='{0}'/>",
    "b": "<clock offset='absolute' start='{0}'/>",
    "c": "<clock><timer name='tsc' frequency='{0}'/></clock>",
    "d": "<clock><timer name='rtc' tickpolicy='catchup'><catchup limit='{0}'/></timer></clock>",
}


def test_numbers_of_thousands_of_digits_do_not_stop_the_others(
    tmp_path: Path, write: Write
) -> None:
    for number, (name, clock) in enumerate(NUMBERS.items()):
        domain = GOOD.format(name, number)
        write(f"{name}.xml", domain.replace("</domain>", f"{clock.format('9' * 5000)}</domain>"))
    write("e.xml", GOOD.format("e", 9))
    found = collect(tmp_path)
    assert len(found) == 5
    assert names(found)[4] == "e"
    for one in found:
        assert isinstance(one, Machine) or (one.reason.isprintable() and len(one.reason) < 300)


@pytest.mark.parametrize("problem", [ValueError("not\x1bforeseen\n"), RecursionError("too deep")])
def test_what_nobody_foresaw_is_one_line_too(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    machine = DomainReader.machine

    def failing(self: DomainReader, element: etree._Element, source: str) -> Machine:
        if element.findtext("name") == "bad":
            raise problem
        return machine(self, element, source)

    monkeypatch.setattr(DomainReader, "machine", failing)
    write("a.xml", GOOD.format("bad", 1))
    write("b.xml", f"<domains>{GOOD.format('bad', 2)}{GOOD.format('c', 3)}</domains>")
    first, second, last = names(collect(tmp_path))
    assert first.startswith("it cannot be judged: ")
    assert second.startswith("domain 1: it cannot be judged: ")
    assert first.isprintable()
    assert last == "c"
