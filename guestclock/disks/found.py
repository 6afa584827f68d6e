"""What was found on a disk: the answer of `inspect`, each value with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from guestclock.disks.problem import DiskProblem, Reason


class Place(NamedTuple):
    """Where a system is: the volume, its file system, and the folder that is its root."""

    volume: str
    filesystem: str
    base: str = ""


class Trace(NamedTuple):
    """Where in a system a value was read: a file, and what in it.

    `key` is a registry key with its value, or a line or a setting of a file; `type` is the
    registry's type of it (REG_DWORD), else empty; `raw` is what stands there, shortened.
    """

    path: str
    key: str = ""
    type: str = ""
    raw: str = ""


class Seen(NamedTuple):
    """A value that was read: what it is called in the answer, and where it was read."""

    what: str
    trace: Trace


class Gap(NamedTuple):
    """A value that is not known: what it is called in the answer, a reason, a line for people."""

    what: str
    reason: Reason
    detail: str


class Remark(NamedTuple):
    """Something worth a warning; `code` is a documented word, `text` one line for people."""

    code: str
    text: str


class ZoneRules(NamedTuple):
    """The rules of its zone that a system has on its disk, as far as they matter.

    `offsets` are pairs of an instant (seconds since 1970) and the offset in seconds, positive
    east of UTC, that holds from it on; the first pair begins the window, `until` ends it.
    """

    offsets: tuple[tuple[int, int], ...]
    until: int


@dataclass(slots=True)
class System:
    """A system on a disk, filled in by its reader.

    `family` is windows, linux, freebsd, openbsd, netbsd or other. `rtc` is utc, local or unknown.
    `zone` is the name as found: a Windows key name or an IANA name. The biases are Windows', in
    minutes, UTC minus local time. `utc_offset_minutes` is OpenBSD's kern.utc_offset, east
    positive. `details` are what only this family has, by documented names (JSON values).
    What is None or unknown has a Gap, unless it does not apply; what is known has a Seen.
    """

    family: str
    name: str = ""
    version: str | None = None
    id: str = ""
    rtc: str = "unknown"
    zone: str | None = None
    active_time_bias_minutes: int | None = None
    real_time_is_universal: bool | None = None
    utc_offset_minutes: int | None = None
    rules: ZoneRules | None = None
    details: dict[str, object] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def saw(self, what: str, path: str, key: str = "", type: str = "", raw: object = "") -> None:
        """Notes where the value called `what` was read."""
        self.seen.append(Seen(what, Trace(path, key, type, str(raw)[:200])))

    def lacks(self, what: str, problem: DiskProblem | Reason, detail: str = "") -> None:
        """Notes why the value called `what` is not known."""
        if isinstance(problem, DiskProblem):
            self.gaps.append(Gap(what, problem.reason, detail or problem.detail))
        else:
            self.gaps.append(Gap(what, problem, detail))

    def warn(self, code: str, text: str) -> None:
        """Notes something worth a warning."""
        self.remarks.append(Remark(code, text))


class FoundSystem(NamedTuple):
    """A system and where it is."""

    place: Place
    system: System


class UnreadPart(NamedTuple):
    """A part of the disk that was not read, and why."""

    volume: str
    reason: Reason
    detail: str


class Inspection(NamedTuple):
    """All that was learnt of one image. `unknown` is why nothing of it is known, else None."""

    path: str
    format: str | None
    systems: tuple[FoundSystem, ...]
    unread: tuple[UnreadPart, ...] = ()
    remarks: tuple[Remark, ...] = ()
    unknown: Reason | None = None
    detail: str = ""
