"""The hops before the definition: the image's property and the instance's os_type."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from guestclock.evidence import Inferred, value_of
from guestclock.findings.finding import Evidence
from guestclock.hops import Hop
from guestclock.machine import Facts, outlook
from guestclock.platforms.openstack.rule import nova_clock
from guestclock.zones import Zones


def os_type_hop(
    name: str, os_type: str | None, where: str, facts: Facts, at: datetime, zones: Zones
) -> Hop:
    """What one place says of os_type, and the value at which Nova would write a right clock.

    `should` is empty where no value would do: Nova knows UTC and the compute host's local time.
    """
    says = _said(os_type)
    if _is_right(os_type, facts, at, zones):
        right, should = True, says
    else:
        better = right_os_type(facts, at, zones)
        right, should = better is not None, _said(better) if better else ""
    evidence = [Evidence(says, "observed", where)]
    if not right:
        evidence.append(Evidence("should", "inferred", "no os_type gives this guest a right clock"))
    return Hop(name, says, should, tuple(evidence))


def right_os_type(facts: Facts, at: datetime, zones: Zones) -> str | None:
    """The os_type for which Nova writes a clock that is right for a guest, None if none is."""
    for value in ("linux", "windows"):
        if _is_right(value, facts, at, zones):
            return value
    return None


def _said(os_type: str | None) -> str:
    return "no os_type" if os_type is None else f"os_type={os_type}"


def _is_right(os_type: str | None, facts: Facts, at: datetime, zones: Zones) -> bool:
    clock = Inferred(nova_clock(os_type, facts.hardware.virt or "kvm"), "Nova's rule")
    error = value_of(outlook(replace(facts, definition=clock), at, zones).after_cold_start)
    return error is not None and abs(error) < 5
