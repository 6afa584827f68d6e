"""The hives of a Windows, each with its transaction logs."""

from __future__ import annotations

from guestclock.disks.budget import Budget
from guestclock.disks.found import System
from guestclock.disks.registry.hive import Hive, open_hive
from guestclock.disks.tree import Tree

_LOGS = (".LOG1", ".LOG2", ".LOG")


class Hives:
    """Opens hives of one folder, each once."""

    def __init__(self, tree: Tree, folder: str, budget: Budget) -> None:
        self._tree = tree
        self._folder = folder
        self._budget = budget
        self._opened: dict[str, Hive | None] = {}

    def path(self, name: str) -> str:
        """Where a hive is, for people."""
        return f"/{self._folder}/{name}"

    def open(self, name: str, system: System) -> Hive | None:
        """A hive by its file's name, None where there is none. Raises DiskProblem.

        What its reader warns of is noted in the system, once.
        """
        if name not in self._opened:
            self._opened[name] = self._open(name)
            hive = self._opened[name]
            if hive is not None:
                self._note(name, hive, system)
        return self._opened[name]

    def _open(self, name: str) -> Hive | None:
        path = f"{self._folder}/{name}"
        main = self._tree.open(path)
        if main is None:
            return None
        logs = [self._tree.open(path + suffix) for suffix in _LOGS]
        return open_hive(main, [log for log in logs if log is not None], self._budget)

    def _note(self, name: str, hive: Hive, system: System) -> None:
        if hive.unsure:
            system.warn(
                "hive-unsure",
                f"{self.path(name)} was left in the midst of a write that its logs do not finish: "
                "what is read may be older than what Windows will see",
            )
        elif hive.recovered:
            system.warn("hive-recovered", f"{self.path(name)} is read with its logs applied")
        for warning in hive.warnings:
            system.warn("hive", f"{self.path(name)}: {warning}")
