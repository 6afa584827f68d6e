"""CLK607: the definition on the host is not the one that Nova writes at the next hard reboot."""

from __future__ import annotations

from dataclasses import replace

from guestclock.clock import Base, Clock, Localtime, Timer, Utc, describe
from guestclock.evidence import Known, value_of
from guestclock.findings.cause import case_of
from guestclock.findings.finding import Case, Finding, Severity, cite
from guestclock.findings.sides import gap, guest_evidence
from guestclock.platforms.openstack.findings import cure
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.findings.wrong import ends
from guestclock.words import behind_or_ahead

_REBOOT = "openstack server reboot --hard"


def definition_differs(
    view: ServerView, stored: Known[Clock], error: Finding | None
) -> Finding | None:
    """The finding, None where the two say the same, or where nobody knows what Nova will write.

    `error` is what explains why the next hard reboot will be wrong, where it will be.

    Bases are compared, and timers as a note. hpet is left out: it hangs on hw_time_hpet too.
    """
    case, mine, theirs = view.case, value_of(view.case.facts.definition), stored.value
    if mine is None or mine == theirs:
        return None
    if mine.base == theirs.base:
        changed = sorted({one.name for one in _timers(mine) ^ _timers(theirs)})
        if not changed:
            return None
        return _finding(
            view,
            stored,
            Severity.NOTE,
            f"the timers on the host are not what Nova will write ({', '.join(changed)}): they "
            "are lost at the next hard reboot",
            "nothing to do for the time; Nova has no setting that would keep them",
        )
    until = case_of(replace(case.facts, definition=stored), case.at, case.zones, case.tolerance)
    severity = Severity.WARNING if _is_either_wrong(case, until) else Severity.NOTE
    observed = (
        f"{describe(theirs.base)} on the host, {_who_wrote(theirs.base)}, is lost at the next hard "
        f"reboot, for which Nova writes {describe(mine.base)}: {_then(case)}; {_until(until)}"
    )
    return _finding(view, stored, severity, observed, _cure(view, until, error))


def _timers(clock: Clock) -> set[Timer]:
    return {one for one in clock.timers if one.name != "hpet"}


def _finding(
    view: ServerView, stored: Known[Clock], severity: Severity, observed: str, remedy: str
) -> Finding:
    case = view.case
    definition = case.facts.definition
    now = value_of(definition)
    will = describe(now.base) if now else "unknown"
    return Finding(
        "CLK607",
        severity,
        "definition",
        f"the definition that Nova writes: {will}",
        observed,
        (
            cite(f"<clock {describe(stored.value.base)}>", stored),
            cite(f"<clock {will}>", definition),
            *guest_evidence(case),
        ),
        remedy,
    )


def _who_wrote(base: Base) -> str:
    """Nova writes utc and localtime, and nothing else."""
    if isinstance(base, Utc | Localtime):
        return "older than its os_type or made by hand"
    return "made by hand"


def _is_right(case: Case) -> bool | None:
    error = gap(case.facts, case.outlook, case)
    return None if error is None else abs(error) < case.tolerance


def _is_either_wrong(case: Case, until: Case) -> bool:
    """Whether a reboot by one of the two is wrong, even where nobody knows by which.

    Two different starts cannot both be right.
    """
    if case.cause is not None or until.cause is not None:
        return True
    one, other = value_of(case.outlook.offset), value_of(until.outlook.offset)
    return one is not None and other is not None and abs(one - other) >= case.tolerance


def _then(case: Case) -> str:
    if _is_right(case):
        return "the guest will be right"
    if case.cause is not None:
        return ends(case)
    return "whether the guest will be right is not known"


def _until(until: Case) -> str:
    error = gap(until.facts, until.outlook, until)
    if error is None:
        return "until then a soft reboot starts what is there"
    off = behind_or_ahead(error, until.tolerance)
    return f"until then the guest is {off} after a soft reboot"


def _cure(view: ServerView, until: Case, error: Finding | None) -> str:
    case, server = view.case, view.server.id
    if _is_right(case) or (case.cause is None and until.cause is not None):
        return f"{_REBOOT} {server} at a time of your choice: only that writes the definition anew"
    kept = "no edit of a definition outlives a hard reboot, and stop and start is one too"
    if error is not None:
        return f"{kept}: what lasts is the cure of {error.rule}, which this server has as well"
    wish = cure.best(view)
    return f"{kept}: {wish}" if wish else kept
