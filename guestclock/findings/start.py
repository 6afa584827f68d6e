"""CLK5xx: how the RTC starts and runs: frozen dates, settings without effect, timers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from guestclock.clock import Absolute, Clock, Localtime, Timer, Track, Utc, describe
from guestclock.evidence import Unknown, value_of
from guestclock.findings.cause import is_beyond
from guestclock.findings.cure import NEW_PROCESS, join, right_clock, universal
from guestclock.findings.finding import Case, Evidence, Finding, Rule, Severity
from guestclock.findings.sides import (
    all_evidence,
    clock_of,
    definition_evidence,
    guest_evidence,
    is_by_hand,
    outcome,
)
from guestclock.words import from_utc, instant


def absolute_restarts(case: Case) -> Iterator[Finding]:
    """CLK501: the same instant at every cold start, however much time has passed."""
    clock = clock_of(case)
    if clock is None or not isinstance(clock.base, Absolute) or is_beyond(case, clock.base):
        return
    if case.facts.hardware.ignores_rtc:
        return
    wrong = case.cause == "CLK501"
    ends = ""
    if value_of(case.outlook.after_cold_start) is not None:
        ends = f": {outcome(case)}, and later by as much as has passed"
    yield Finding(
        "CLK501",
        Severity.ERROR if wrong else Severity.WARNING,
        "domain",
        "an RTC that goes on with the time",
        f"every cold start begins at {_date(clock.base.start)} again{ends}",
        all_evidence(case),
        right_clock(case),
    )


def _date(seconds: int) -> str:
    return instant(datetime.fromtimestamp(seconds, UTC))


def beyond_68_years(case: Case) -> Iterator[Finding]:
    """CLK502: QEMU keeps the difference in 32 bits, and wraps it without a word."""
    clock = clock_of(case)
    if clock is None or not is_beyond(case, clock.base) or case.facts.hardware.ignores_rtc:
        return
    offset, begun = case.outlook.offset, case.outlook.start
    if isinstance(offset, Unknown):
        observed = f"{describe(clock.base)}: {offset.reason}"
    else:
        ends = ""
        if value_of(case.outlook.after_cold_start) is not None:
            ends = f": {outcome(case)}"
        observed = f"{describe(clock.base)} starts it {from_utc(offset.value)}{ends}"
    evidence = all_evidence(case)
    if begun is not None and begun.silently:
        evidence = (*evidence, Evidence(begun.silently, "inferred", "QEMU system/rtc.c"))
    yield Finding(
        "CLK502",
        Severity.ERROR if case.cause == "CLK502" else Severity.WARNING,
        "domain",
        "a start within 2^31 s (68 years) of the host's clock",
        observed,
        evidence,
        right_clock(case),
    )


def no_effect(case: Case) -> Iterator[Finding]:
    """CLK503: settings that libvirt accepts and QEMU never hears of."""
    clock = clock_of(case)
    if clock is None:
        return
    idle = list(_idle(clock))
    if not idle:
        return
    yield Finding(
        "CLK503",
        Severity.NOTE,
        "domain",
        "settings that do something",
        "; ".join(idle),
        (definition_evidence(case),),
        "leave them out, so that nobody relies on them",
    )


def _idle(clock: Clock) -> Iterator[str]:
    """Measured on libvirt 9.0 with QEMU 7.2: each of these leaves `-rtc` as it is without."""
    if isinstance(clock.base, Utc | Localtime) and clock.base.reset:
        yield "adjustment='reset' is only heard by Xen"
    for timer in clock.timers:
        if timer.name != "rtc":
            continue
        if timer.present is False:
            yield "an rtc timer with present='no' leaves the RTC where it is"
        if timer.tickpolicy == "delay":
            yield "an rtc timer with tickpolicy='delay' is what QEMU does without"


def stops_with_machine(case: Case) -> Iterator[Finding]:
    """CLK504: track='guest' stops the RTC with the machine, and it is never set forward again."""
    clock = clock_of(case)
    if clock is None or clock.track is not Track.VM or case.facts.hardware.ignores_rtc:
        return
    yield Finding(
        "CLK504",
        Severity.WARNING,
        "domain",
        "an RTC that follows the host's clock",
        "the rtc timer has track='guest': while the machine is paused or saved its RTC stands "
        "still, and the guest is behind by that time after its next reset",
        (definition_evidence(case),),
        f"{_follow_the_host(case)}; never change it in a saved or migrating machine, whose RTC "
        "would jump by decades",
    )


def _follow_the_host(case: Case) -> str:
    if is_by_hand(case):
        return f"take clock=vm out of -rtc; {NEW_PROCESS}"
    return "virsh edit: take track='guest' out of the rtc timer, then stop and start"


def timers_missing(case: Case) -> Iterator[Finding]:
    """CLK505: without these timers Windows on KVM loses ticks or spends much on them."""
    clock, hardware = clock_of(case), case.facts.hardware
    if clock is None or hardware.virt != "kvm" or hardware.arch not in ("x86_64", "i686", ""):
        return
    # A command line has no timers: what they set stands under -cpu and -global there.
    if case.facts.guest.system not in ("windows", "windows-universal") or is_by_hand(case):
        return
    missing = dict(_missing(clock))
    if not missing:
        return
    count = f"{len(missing)} timer{'' if len(missing) == 1 else 's'}"
    yield Finding(
        "CLK505",
        Severity.NOTE,
        "domain",
        "the timers that Windows runs best with on KVM",
        f"{count} missing: {', '.join(missing)}",
        (definition_evidence(case), *guest_evidence(case)),
        f"virsh edit: add {', '.join(missing.values())} to <clock>, then stop and start",
    )


def _missing(clock: Clock) -> Iterator[tuple[str, str]]:
    """Each in a word or two, and as the element that it takes."""

    def has(name: str, **wanted: object) -> bool:
        timer: Timer | None = clock.timer(name)
        return timer is not None and all(getattr(timer, key) == wanted[key] for key in wanted)

    if not has("hypervclock", present=True):
        yield "hypervclock", "<timer name='hypervclock' present='yes'/>"
    if not has("rtc", tickpolicy="catchup"):
        yield "rtc catchup", "<timer name='rtc' tickpolicy='catchup'/>"
    if not has("pit", tickpolicy="delay"):
        yield "pit delay", "<timer name='pit' tickpolicy='delay'/>"
    if not has("hpet", present=False):
        yield "no hpet", "<timer name='hpet' present='no'/>"


def platform_ignores_rtc(case: Case) -> Iterator[Finding]:
    """CLK506: the hardware has no RTC that QEMU's `-rtc` could set."""
    clock, why = clock_of(case), case.facts.hardware.ignores_rtc
    if clock is None or not why:
        return
    wrong = case.cause == "CLK506"
    ends = ""
    if wrong:
        ends = ": wrong for a guest that expects local time"
        if value_of(case.outlook.after_cold_start) is not None:
            ends = f": {outcome(case)}"
    yield Finding(
        "CLK506",
        Severity.ERROR if wrong else Severity.NOTE,
        "domain",
        "a machine whose clock the definition sets",
        f"{why}; {describe(clock.base)} does nothing{ends}",
        all_evidence(case),
        join("let the guest take its clock for UTC", universal(case))
        if wrong
        else "nothing to do, but expect nothing of <clock> either",
    )


RULES = (
    Rule(
        "CLK501",
        "absolute-restarts",
        "An absolute clock begins at the same instant at every cold start.",
        absolute_restarts,
    ),
    Rule(
        "CLK502",
        "beyond-68-years",
        "The clock starts more than 68 years from now, where QEMU silently wraps it.",
        beyond_68_years,
    ),
    Rule(
        "CLK503",
        "no-effect",
        "The definition has settings that change nothing.",
        no_effect,
    ),
    Rule(
        "CLK504",
        "stops-with-machine",
        "The RTC stands still while the machine is paused or saved.",
        stops_with_machine,
    ),
    Rule(
        "CLK505",
        "timers-missing",
        "Windows on KVM runs without the timers that keep its clock steady.",
        timers_missing,
    ),
    Rule(
        "CLK506",
        "platform-ignores-rtc",
        "The hardware ignores the clock definition.",
        platform_ignores_rtc,
    ),
)
