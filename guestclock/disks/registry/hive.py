"""A hive: a file of the Windows registry, with what its transaction logs hold laid over it.

Nothing is written. Logs are read only where the hive says that it was left in the midst of a
write, as Windows does; then what is read is what Windows would see at its next start.
"""

from __future__ import annotations

from collections.abc import Sequence

from guestclock.disks.budget import Budget
from guestclock.disks.fields import u32
from guestclock.disks.problem import Damaged, UnreadFormat
from guestclock.disks.registry.base_block import (
    BASE,
    HIVE,
    NEW_LOG,
    OLD_LOG,
    SECTOR,
    BaseBlock,
    read_base_block,
)
from guestclock.disks.registry.cells import Cells
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.log import Log, apply_logs
from guestclock.disks.registry.log_old import apply_old_log
from guestclock.disks.registry.overlay import Overlay
from guestclock.disks.source import Source


class Hive:
    """The keys of one hive.

    `recovered` says that logs were applied, `unsure` that they should have been and were not:
    what is read may then be older than what Windows has. `warnings` tell it to people.
    """

    __slots__ = ("_root", "recovered", "unsure", "warnings")

    def __init__(self, root: Key, recovered: bool, unsure: bool, warnings: Sequence[str]) -> None:
        self._root = root
        self.recovered = recovered
        self.unsure = unsure
        self.warnings = tuple(warnings)

    @property
    def root(self) -> Key:
        """The key that all others are below."""
        return self._root

    def key(self, path: str) -> Key | None:
        """The key at a path from the root, in any case; see `Key.key`."""
        return self._root.key(path)


def open_hive(main: Source, logs: Sequence[Source], budget: Budget) -> Hive:
    """Opens a hive; `logs` are its .LOG, .LOG1 and .LOG2, as far as they are there.

    Raises Damaged where it is none or its root is broken, UnreadFormat for another version.
    """
    base = read_base_block(main.read_at(0, min(SECTOR, main.size)))
    if base.kind != HIVE:
        raise Damaged("a transaction log of the registry lies where a hive should be")
    if base.clean:
        return _hive(Overlay(main, base.size), base, base.root, budget)
    # With a wrong checksum the file itself is a better witness of its size.
    bins = Overlay(main, base.size if base.sound else max(main.size - BASE, 0))
    usable = _usable(logs)
    warnings: list[str] = []
    log = _new(usable, base, bins, budget, warnings) or _old(usable, base, bins, budget, warnings)
    root = base.root
    if log is None:
        warnings.insert(0, "the hive was left in the midst of a write, and no log completes it")
    else:
        root = base.root if base.sound else log.base.root
        warnings.insert(0, "the hive was left in the midst of a write; its logs are applied")
    return _hive(bins, base, root, budget, log is not None, warnings)


def _hive(
    bins: Overlay,
    base: BaseBlock,
    root: int,
    budget: Budget,
    recovered: bool = False,
    warnings: Sequence[str] = (),
) -> Hive:
    head = bins.read_at(0, min(32, bins.size))
    if head[:4] != b"hbin" or u32(head, 4):
        raise Damaged("the registry hive has no bins")
    key = Key(Cells(bins, base.minor, budget), root)
    return Hive(key, recovered, bool(warnings) and not recovered, warnings)


def _usable(logs: Sequence[Source]) -> list[Log]:
    """Logs with a sound base block of their own, in order of its numbers; empty ones are usual."""
    found: list[Log] = []
    for source in logs:
        if source.size < 2 * SECTOR:
            continue
        try:
            base = read_base_block(source.read_at(0, SECTOR))
        except (Damaged, UnreadFormat):
            continue
        if base.sound and base.kind in (NEW_LOG, OLD_LOG):
            found.append(Log(source, base))
    return sorted(found, key=lambda log: log.base.first)


def _new(
    logs: Sequence[Log], base: BaseBlock, bins: Overlay, budget: Budget, warnings: list[str]
) -> Log | None:
    """Applies logs of the new format; gives the newest of them where that changed something."""
    new = [log for log in logs if log.base.kind == NEW_LOG]
    applied = apply_logs(new, base, bins, budget)
    warnings += applied.warnings
    return new[-1] if applied.entries else None


def _old(
    logs: Sequence[Log], base: BaseBlock, bins: Overlay, budget: Budget, warnings: list[str]
) -> Log | None:
    """Applies the newest log of the old format that belongs to the hive, and gives it."""
    for log in reversed(logs):
        if log.base.kind != OLD_LOG:
            continue
        try:
            apply_old_log(log, base, bins, budget)
        except Damaged as problem:
            warnings.append(problem.detail)
        else:
            return log
    return None
