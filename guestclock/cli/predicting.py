"""What `predict` computes and prints: a timeline of one machine, or the results of many cases."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import msgspec

from guestclock.cases import (
    FIELDS,
    STEP_KEYS,
    BadCase,
    CaseInput,
    plain,
    read_case,
    read_step,
    result_of,
    unread_keys,
)
from guestclock.cli.clockwords import read_clock
from guestclock.errors import Unreadable, UsageProblem
from guestclock.evidence import Fact, Unknown, how, value_of
from guestclock.lifecycle import ImpossibleStep, Redefine, State, Step
from guestclock.prediction import Prediction, predict
from guestclock.reports.tables import console_of, new_table
from guestclock.words import behind_or_ahead
from guestclock.zones import Zones


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case's result, None for a case that could not be read: then `problem` says why.

    `id` is as the file has it; `expected` is what the file says the result should be, None where
    it does not. `unread` are keys that nothing reads.
    """

    id: object
    description: str
    result: dict[str, str | int | None] | None
    expected: object = None
    problem: str = ""
    unread: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the file expects something else."""
        return self.expected is not None and self.expected != self.result


def run_cases(path: str, zones: Zones) -> list[CaseResult]:
    """The last step's result of each case in a JSON file. Raises Unreadable, UsageProblem."""
    try:
        cases = msgspec.json.decode(Path(path).read_bytes())
    except OSError as problem:
        raise Unreadable(f"{path}: {problem.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Unreadable(f"{path} is not JSON: {problem}") from None
    except RecursionError:
        raise Unreadable(f"{path} is nested deeper than any case") from None
    if not isinstance(cases, list):
        raise UsageProblem(f"{path} is not a list of cases", "see docs/guide/predict.md")
    return [
        _run_case(case, f"{path}: case {number}", zones) for number, case in enumerate(cases, 1)
    ]


def _run_case(case: object, where: str, zones: Zones) -> CaseResult:
    if not isinstance(case, dict) or "input" not in case:
        return CaseResult(None, "", None, problem=f"{where} is not an object with id and input")
    name, given = case.get("id"), case["input"]
    description, expected = str(case.get("description", "")), case.get("expected")
    unread = tuple(unread_keys(given)) if isinstance(given, dict) else ()
    try:
        read = read_case(given, zones)
        *_, last = predict(read.state, read.steps, zones)
    except (BadCase, ImpossibleStep) as problem:
        said = f"{where} ({name}): {problem}"
        return CaseResult(name, description, None, expected, said, unread)
    return CaseResult(name, description, result_of(last), expected, unread=unread)


def case_of_options(
    *,
    clock: str | None,
    guest: str,
    zone: str | None,
    bias: int | None,
    utc_offset: int | None,
    host_zone: str | None,
    libvirtd_zone: str | None,
    at: datetime,
    steps: tuple[str, ...],
    zones: Zones,
) -> CaseInput:
    """The case that the command's options are. Raises UsageProblem, Unreadable."""
    begun: list[Step] = []
    for text in steps:
        begun.extend(_read_step(text, begun[-1].at if begun else at, zones))
    data = {
        "guest": guest,
        "guest_zone": zone,
        "active_time_bias_minutes": bias,
        "utc_offset_minutes": utc_offset,
        "host_zone": host_zone,
        "libvirtd_zone": libvirtd_zone,
        "steps": [{"do": "start", "at": at.isoformat()}],
    }
    try:
        state = read_case(data, zones).state
    except BadCase as problem:
        raise UsageProblem(str(problem)) from None
    given = read_clock(clock or "").clock
    for before, after in pairwise(begun):
        if after.at < before.at:
            raise UsageProblem(f"a step goes back in time, from {before.at} to {after.at}")
    return CaseInput(State(given, state.host, state.guest), tuple(begun))


_STEP = re.compile(r"(?P<do>[a-z-]+)(?:@(?P<at>\S+))?(?P<rest>(?:\s+\S+=\S+)*)\s*")
_DELAY = re.compile(r"\+(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _read_step(text: str, previous: datetime, zones: Zones) -> list[Step]:
    found = _STEP.fullmatch(text)
    if not found:
        raise UsageProblem(f"{text!r} is no step", "write DO, DO@INSTANT or DO@+2h, then KEY=VALUE")
    data: dict[str, object] = {"do": found["do"], "at": _step_time(found["at"], previous)}
    for pair in found["rest"].split():
        key, _, value = pair.partition("=")
        if key not in STEP_KEYS:
            near = difflib.get_close_matches(key, STEP_KEYS, n=1)
            hint = (
                f"did you mean {near[0]}?" if near else f"the keys are {', '.join(STEP_KEYS[2:])}"
            )
            raise UsageProblem(f"step {text!r}: no step has a key {key!r}", hint)
        data[key] = int(value) if re.fullmatch(r"[+-]?\d+", value) else value
    try:
        if data["do"] == "redefine":
            at = datetime.fromisoformat(str(data["at"]))
            return [Redefine(at, read_clock(str(data.get("clock", ""))).clock)]
        return list(read_step(data, zones))
    except BadCase as problem:
        raise UsageProblem(f"step {text!r}: {problem}") from None


def _step_time(text: str | None, previous: datetime) -> str:
    if text is None:
        return previous.isoformat()
    delay = _DELAY.fullmatch(text)
    if delay:
        return (previous + timedelta(**{_UNITS[delay[2]]: int(delay[1])})).isoformat()
    return text


def timeline(case: CaseInput, zones: Zones) -> list[Prediction]:
    """The prediction after each step. Raises ImpossibleStep."""
    try:
        return list(predict(case.state, case.steps, zones))
    except ImpossibleStep as problem:
        raise UsageProblem(str(problem)) from None


def print_cases(results: list[CaseResult], form: str, stream: TextIO) -> None:
    """The results as a JSON list of id and result, or as a table."""
    if form == "json":
        rows = [{"id": result.id, "result": result.result} for result in results]
        stream.write(json.dumps(rows, indent=1) + "\n")
        return
    table = new_table("case", "-rtc", "RTC", "guest shows", "true local", "error", "")
    for result in results:
        if result.result is None:
            table.add_row(str(result.id), *5 * ("-",), "[red]not read[/]")
            continue
        found = result.result
        error = found["error_seconds"]
        table.add_row(
            str(result.id),
            str(found["rtc_args"] or "-"),
            *(_spaced(found[key]) for key in ("rtc", "shown", "true_local")),
            "-" if error is None else behind_or_ahead(int(error)),
            result.description + (" [red](not as expected)[/]" if result.differs else ""),
        )
    console_of(stream).print(table)


def print_timeline(steps: list[Prediction], form: str, stream: TextIO) -> None:
    """The timeline as a JSON list, or as a table with one line a step."""
    if form == "json":
        rows = [_row(name, step) for name, step in zip(_step_names(steps), steps, strict=True)]
        stream.write(json.dumps(rows, indent=1) + "\n")
        return
    table = new_table("at (UTC)", "step", "RTC", "guest shows", "true local", "error", "-rtc")
    reasons: dict[str, None] = {}
    for name, step in zip(_step_names(steps), steps, strict=True):
        error = value_of(step.error)
        day = f"{step.step.at:%Y-%m-%d} "
        known = value_of(step.arguments)
        arguments = "?" if known is None else str(known)
        table.add_row(
            f"{step.step.at:%Y-%m-%d %H:%M:%S}",
            name,
            *(_cell(fact).removeprefix(day) for fact in (step.rtc, step.shown, step.true_local)),
            "?" if error is None else behind_or_ahead(error),
            arguments + (f" (TZ={step.process_zone})" if step.process_zone is not None else ""),
        )
        facts = (step.arguments, step.rtc, step.shown, step.true_local, step.error)
        reasons.update({str(fact): None for fact in facts if isinstance(fact, Unknown)})
        if step.silently:
            reasons[step.silently] = None
    console = console_of(stream)
    console.print(table)
    for reason in reasons:
        console.print(f"? {reason}", markup=False)


def _step_names(steps: list[Prediction]) -> list[str]:
    """The names that cases use; the first power-on is a start, later ones are cold starts."""
    names = [re.sub(r"(?<!^)(?=[A-Z])", "-", type(step.step).__name__).lower() for step in steps]
    started = names.index("power-on") if "power-on" in names else -1
    return [
        name if name != "power-on" else "start" if number == started else "cold-start"
        for number, name in enumerate(names)
    ]


def _spaced(value: str | int | None) -> str:
    return "-" if value is None else str(value).replace("T", " ")


def _cell(fact: Fact[object]) -> str:
    return "?" if isinstance(fact, Unknown) else _spaced(plain(fact.value))


def _row(name: str, step: Prediction) -> dict[str, object]:
    facts: dict[str, Fact[object]] = {
        "rtc_args": step.arguments,
        "rtc": step.rtc,
        "shown": step.shown,
        "true_local": step.true_local,
        "error_seconds": step.error,
        "guest_utc": step.guest_utc,
    }
    return {
        "do": name,
        "at": step.step.at.isoformat().replace("+00:00", "Z"),
        **{key: result_of(step)[key] for key in FIELDS},
        "unknown": {k: str(fact) for k, fact in facts.items() if isinstance(fact, Unknown)},
        "evidence": {
            key: {"how": how(fact), "where": fact.where}
            for key, fact in facts.items()
            if not isinstance(fact, Unknown)
        },
        "silently": step.silently,
    }
