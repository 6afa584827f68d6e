"""What OpenStack's rules say of one server: at most one error, and what else is worth knowing.

This runs for every server of a cloud, and most are in order: nothing is put into words before
something was found.
"""

from __future__ import annotations

from guestclock.evidence import Unknown, value_of
from guestclock.findings.finding import Finding
from guestclock.platforms.interface import NOTHING, Own
from guestclock.platforms.openstack.findings.carried import carried
from guestclock.platforms.openstack.findings.definition import definition_differs
from guestclock.platforms.openstack.findings.rescue import rescue_mismatch
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.findings.wrong import wrong_start

_TOLD_BY_CAUSE = ("CLK302", "CLK303")
"""Live differs from defined, or RTC from both: what a wrong os_type looks like on the host."""


def server_findings(view: ServerView) -> Own:
    """What is found at a server; NOTHING itself where nothing is."""
    case = view.case
    found: list[Finding] = []
    replaced: set[str] = set()
    error = wrong_start(view) if case.cause is not None else None
    if error is not None and case.cause is not None:
        found.append(error)
        replaced.update((case.cause, *_TOLD_BY_CAUSE))
    else:
        warnings, instead = carried(view)
        found += warnings
        replaced.update(instead)
    stored, definition = case.facts.stored, value_of(case.facts.definition)
    if stored is not None and not isinstance(stored, Unknown) and definition is not None:
        differs = definition_differs(view, stored, error)
        if differs is not None:
            found.append(differs)
            # A note on timers tells nothing of where the RTC is.
            if definition.base != stored.value.base:
                replaced.update(_TOLD_BY_CAUSE)
    if view.server.vm_state == "rescued":
        found += rescue_mismatch(view)
    return Own(tuple(found), frozenset(replaced)) if found else NOTHING
