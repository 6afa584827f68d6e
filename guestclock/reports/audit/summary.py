"""What an audit came to, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.audit import Tally
from guestclock.findings.finding import Severity

_MOST_REASONS = 5


def counted(count: int, noun: str) -> str:
    """A count with its noun: "1 machine", "20,000 machines"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def summary_line(tally: Tally) -> str:
    """One sentence: "3 machines: 1 error, 2 notes; 1 could not be read"."""
    found = [counted(tally.severities[one], one.value) for one in Severity if tally.severities[one]]
    looked = [counted(tally.machines, "machine")]
    looked += [counted(count, kind) for kind, count in sorted(tally.objects.items())]
    text = f"{', '.join(looked)}: {', '.join(found) or 'nothing found'}"
    if tally.unread:
        text += f"; {tally.unread:,} could not be read"
    if tally.baseline:
        text += f"; {counted(tally.baseline, 'finding')} of the baseline left out"
    return text


def unknown_lines(tally: Tally) -> Iterator[str]:
    """How many machines could not be judged, and why; the commonest reasons first."""
    if not tally.unknown:
        return
    machines = counted(tally.unknown.total(), "machine")
    yield f"the error after the next cold start is not known of {machines}:"
    for reason, count in tally.unknown.most_common(_MOST_REASONS):
        yield f"  {count:,}: {reason}"
    others = len(tally.unknown) - _MOST_REASONS
    if others > 0:
        yield f"  and {counted(others, 'other reason')}"


def note_lines(tally: Tally) -> Iterator[str]:
    """What sources could not tell though nothing failed, and what would settle it."""
    for (source, text), times in tally.notes.items():
        yield f"note: {source}: {text}{f' ({times:,} times)' if times > 1 else ''}"
