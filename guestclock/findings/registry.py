"""The general rules, in the order of their ids; `guestclock.rules` has those of platforms too."""

from __future__ import annotations

from guestclock.findings import definition, disk, dst, kind, start, zone
from guestclock.findings.finding import Rule

RULES: tuple[Rule, ...] = (
    *kind.RULES,
    *zone.RULES,
    *definition.RULES,
    *dst.RULES,
    *start.RULES,
    *disk.RULES,
)
