"""A plan: which machine gets which value by which lever, and what it must have before.

It is a TOML file that is meant to be read and edited before it is applied. Whatever stands in it
is checked again then: levers by name, values by the lever's own vocabulary.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from guestclock.errors import UsageProblem
from guestclock.platforms.lever import Target

VERSION = 1
_ID = re.compile(r"[a-z0-9-]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Step:
    """One change. `old` and `new` are values of the lever; `findings` are ids of rules.

    `alternatives` are what others could do instead, such as the owner of the guest.
    """

    id: str
    lever: str
    target: Target
    old: str
    new: str
    findings: tuple[str, ...] = ()
    why: str = ""
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """A machine whose clock is or may become wrong, for which no step is planned, and why."""

    name: str
    source: str
    findings: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True)
class Limits:
    """When a plan may be worked on (aware, from and until), and how long a restart may take.

    `max_downtime` is in seconds, 0 for no restart at all; None is no limit.
    """

    window: tuple[datetime, datetime] | None = None
    max_downtime: int | None = None

    def allow(self, at: datetime) -> bool:
        """Whether the window is open, or there is none."""
        return self.window is None or self.window[0] <= at < self.window[1]


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order in which they are done. `made` is aware, in UTC."""

    id: str
    made: datetime
    steps: tuple[Step, ...]
    left: tuple[Open, ...] = ()
    limits: Limits = NO_LIMITS

    @property
    def digest(self) -> str:
        """What the plan would change, as SHA-256: another one is another plan."""
        text = repr([(one.id, one.lever, one.target, one.old, one.new) for one in self.steps])
        return hashlib.sha256(text.encode()).hexdigest()


_HEAD = """\
# A plan of guestclock. Nothing has been changed yet. Read it, take out what you do not want, then
#   guestclock apply PLAN --dry-run
#   guestclock apply PLAN
# Each step says what must be there before; where it is not, the step is refused.
"""


def text_of(plan: Plan) -> str:
    """The plan as a file."""
    lines = [_HEAD, f"version = {VERSION}", f"id = {_quoted(plan.id)}"]
    lines.append(f"made = {plan.made.isoformat()}")
    if plan.limits.window is not None:
        lines.append(f"window = [{', '.join(one.isoformat() for one in plan.limits.window)}]")
    if plan.limits.max_downtime is not None:
        lines.append(f"max_downtime = {plan.limits.max_downtime}")
    for step in plan.steps:
        lines += _table("step", {**asdict(step), **asdict(step.target), "id": step.id})
    for one in plan.left:
        lines += _table("open", asdict(one))
    return "\n".join(lines) + "\n"


_KEYS = {
    "step": (
        "id",
        "name",
        "machine",
        "source",
        "lever",
        "old",
        "new",
        "findings",
        "why",
        "alternatives",
    ),
    "open": ("name", "source", "findings", "what"),
}


def _table(kind: str, values: dict[str, Any]) -> list[str]:
    if kind == "step":
        values["machine"] = values["target"]["id"]
    return ["", f"[[{kind}]]", *(f"{key} = {_value(values[key])}" for key in _KEYS[kind])]


def _value(value: str | Iterable[str]) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return f"[{', '.join(_quoted(one) for one in value)}]"


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda one: f"\\u{ord(one[0]):04x}", escaped) + '"'


def load(path: Path) -> Plan:
    """The plan in a file. Raises UsageProblem for what is none."""
    try:
        return read(path.read_text(encoding="utf-8"), str(path))
    except OSError as problem:
        raise UsageProblem(f"{path} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError as problem:
        raise UsageProblem(f"{path} is no plan: {problem}") from None


def read(text: str, where: str) -> Plan:
    """The plan in a text that stands there. Raises UsageProblem for what is none."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise UsageProblem(f"{where} is no plan: {problem}") from None
    return _Reader(where).plan(content)


def _is_instant(value: object) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


class _Reader:
    """Takes a plan's tables apart, and names the place of what is wrong."""

    def __init__(self, path: str) -> None:
        self._path = path

    def plan(self, content: Mapping[str, Any]) -> Plan:
        known = ("version", "id", "made", "window", "max_downtime", *_KEYS)
        self._known(content, known, "the plan")
        if content.get("version") != VERSION:
            raise UsageProblem(f"{self._path}: this guestclock reads plans of version {VERSION}")
        made = content.get("made")
        if not isinstance(made, datetime) or not _is_instant(made):
            raise UsageProblem(f"{self._path}: made is no instant with an offset")
        plan = self._matching(content, "id", _ID, "the plan")
        tables = {kind: self._tables(content, kind) for kind in _KEYS}
        steps = tuple(self._step(one, number) for number, one in enumerate(tables["step"], 1))
        if len({one.id for one in steps}) < len(steps):
            raise UsageProblem(f"{self._path}: two steps have one id")
        left = tuple(self._open(one) for one in tables["open"])
        return Plan(plan, made, steps, left, self._limits(content))

    def _limits(self, content: Mapping[str, Any]) -> Limits:
        window = content.get("window")
        if window is not None:
            whole = isinstance(window, list) and len(window) == 2
            if not whole or not all(_is_instant(one) for one in window) or window[0] >= window[1]:
                raise UsageProblem(f"{self._path}: window is not two instants, from and until")
            window = (window[0], window[1])
        longest = content.get("max_downtime")
        if longest is not None and (type(longest) is not int or longest < 0):
            raise UsageProblem(f"{self._path}: max_downtime is no number of seconds")
        return Limits(window, longest)

    def _tables(self, content: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
        tables = content.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            raise UsageProblem(f"{self._path}: write each {kind} as [[{kind}]]")
        return tables

    def _step(self, table: dict[str, Any], number: int) -> Step:
        where = f"step {number}"
        self._known(table, _KEYS["step"], where)
        return Step(
            self._matching(table, "id", _ID, where),
            self._matching(table, "lever", _ID, where),
            Target(
                self._matching(table, "machine", _UUID, where),
                self._text(table, "name", where),
                self._text(table, "source", where),
            ),
            self._text(table, "old", where),
            self._text(table, "new", where),
            self._texts(table, "findings", where),
            self._text(table, "why", where),
            self._texts(table, "alternatives", where),
        )

    def _open(self, table: dict[str, Any]) -> Open:
        self._known(table, _KEYS["open"], "open")
        name, source, what = (self._text(table, key, "open") for key in ("name", "source", "what"))
        return Open(name, source, self._texts(table, "findings", "open"), what)

    def _known(self, table: Mapping[str, Any], keys: Iterable[str], where: str) -> None:
        for key in table:
            if key not in keys:
                raise UsageProblem(f"{self._path}, {where}: {key!r} is no part of a plan")

    def _text(self, table: Mapping[str, Any], key: str, where: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or len(value) > _LONGEST:
            raise UsageProblem(f"{self._path}, {where}: {key} is no text, or a very long one")
        return value

    def _matching(
        self, table: Mapping[str, Any], key: str, form: re.Pattern[str], where: str
    ) -> str:
        value = self._text(table, key, where)
        if not form.fullmatch(value):
            raise UsageProblem(f"{self._path}, {where}: {key} is {value!r}, which it cannot be")
        return value

    def _texts(self, table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        values = table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            raise UsageProblem(f"{self._path}, {where}: {key} is no list of texts")
        return tuple(values)
