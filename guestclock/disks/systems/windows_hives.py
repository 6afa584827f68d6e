"""The hives of a Windows, each with its transaction logs, and values with where they stand."""

from __future__ import annotations

from guestclock.disks.budget import Budget
from guestclock.disks.filesystems.interface import Kind
from guestclock.disks.found import System
from guestclock.disks.registry.hive import Hive, open_hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.names import folded
from guestclock.disks.registry.values import Value
from guestclock.disks.systems.assignments import short, shown
from guestclock.disks.tree import Tree

_LOGS = (".LOG1", ".LOG2", ".LOG")
_RAW = 16


class Hives:
    """Opens hives of one folder."""

    def __init__(self, tree: Tree, folder: str, budget: Budget) -> None:
        self._tree = tree
        self._folder = folder
        self._budget = budget

    def path(self, name: str) -> str:
        """Where a hive is, for people."""
        return f"/{self._folder}/{name}"

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name. Raises DiskProblem."""
        node = self._tree.find(f"{self._folder}/{name}")
        return node is not None and node.kind is Kind.FILE

    def open(self, name: str, system: System) -> Hive | None:
        """A hive by its file's name, None where there is none. Raises DiskProblem.

        Its logs are remarks: what they hold is laid over it, or could not be. The detail
        `registry` says for the hive `clean`, `recovered` or `unsure`.
        """
        path = f"{self._folder}/{name}"
        main = self._tree.open(path)
        if main is None:
            return None
        logs = [self._tree.open(path + suffix) for suffix in _LOGS]
        hive = open_hive(main, [log for log in logs if log is not None], self._budget)
        self._note(name, hive, system)
        return hive

    def _note(self, name: str, hive: Hive, system: System) -> None:
        states = system.details.setdefault("registry", {})
        assert isinstance(states, dict)
        states[name] = "unsure" if hive.unsure else "recovered" if hive.recovered else "clean"
        said = "; ".join(hive.warnings)[:400]
        if hive.unsure:
            system.warn(
                "hive-unsure",
                f"{self.path(name)}: {said}: what is read from it may be older than what Windows "
                "will have" + (", the bias and how it takes the RTC too" * (name == "SYSTEM")),
            )
        elif hive.recovered:
            system.warn("hive-recovered", f"{self.path(name)}: {said}")


class Values:
    """The values of one key, by their names in any case; none where there is no key.

    `path` is the hive's, `where` the key's, for people. Raises DiskProblem where one of the
    values cannot be read: any of them might be the one that is looked for.
    """

    __slots__ = ("_found", "path", "there", "where")

    def __init__(self, key: Key | None, path: str, where: str) -> None:
        self.path = path
        self.where = where
        self.there = key is not None
        self._found: dict[str, Value] = {}
        for value in key.values() if key else ():
            # Windows takes the first of two that have the same name.
            self._found.setdefault(folded(value.name), value)

    def get(self, name: str) -> Value | None:
        """A value, None where there is none."""
        return self._found.get(folded(name))

    def number(self, name: str) -> int | None:
        """The number of a REG_DWORD, None for anything else. Raises DiskProblem."""
        value = self.get(name)
        return value.dword() if value else None

    def text(self, name: str) -> str:
        """A text, empty for anything else; at most 120 characters, none of them for control."""
        value = self.get(name)
        return shown((value.text() if value else None) or "").strip()

    def saw(self, system: System, what: str, name: str) -> None:
        """Notes that `what` is from the value of that name, or from its absence."""
        value = self.get(name)
        type, raw = (value.type_name, raw_of(value)) if value else ("", "not set")
        system.saw(what, self.path, f"{self.where}\\{name}", type, raw)


def raw_of(value: Value) -> str:
    """What a value has, for people: a number, a quoted text, or its first bytes. Raises
    DiskProblem.
    """
    number, text = value.signed(), value.text()
    if number is not None:
        return str(number)
    if text is not None:
        return short(text)
    texts = value.texts()
    if texts:
        return short(" ".join(texts))
    data = value.data
    return data[:_RAW].hex(" ") + (" ..." if len(data) > _RAW else "")
