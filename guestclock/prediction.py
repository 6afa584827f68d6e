"""The law over a machine's life: one `Prediction` after each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from guestclock.evidence import Fact, Unknown
from guestclock.lifecycle import State, Step, apply
from guestclock.rtc import RtcArguments
from guestclock.zones import Zones


@dataclass(frozen=True, slots=True)
class Prediction:
    """The machine after a step; all times naive, the error in seconds, positive = ahead.

    `arguments` and `process_zone` are those of the newest QEMU process; `shown`, `guest_utc` and
    `error` are those of a guest that reads its RTC at the step's instant.
    """

    step: Step
    arguments: Fact[RtcArguments]
    process_zone: str | None
    rtc: Fact[datetime]
    shown: Fact[datetime]
    true_local: Fact[datetime]
    guest_utc: Fact[datetime]
    error: Fact[int]
    silently: str | None


def predict(state: State, steps: Iterable[Step], zones: Zones) -> Iterator[Prediction]:
    """What each step leaves. Raises ImpossibleStep at a step that cannot be taken."""
    for step in steps:
        state = apply(state, step, zones)
        yield _after(state, step, zones)


def _after(state: State, step: Step, zones: Zones) -> Prediction:
    seen = state.boot(step.at, zones)
    process = state.process
    off = Unknown("the machine is off", "start it")
    return Prediction(
        step=step,
        arguments=process.start.arguments if process else off,
        process_zone=process.start.environment_zone if process else None,
        rtc=process.reading(step.at) if process else off,
        shown=seen.shown,
        true_local=seen.true_local,
        guest_utc=seen.utc,
        error=seen.error,
        silently=process.start.silently if process else None,
    )
