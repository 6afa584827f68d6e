"""Transaction logs as Windows wrote them up to 8.0: a bitmap of dirty sectors, then the sectors.

Rule: the regf specification, "Old format". Nothing seals them; that one belongs to a hive is told
by the time of writing that both state.
"""

from __future__ import annotations

from guestclock.disks.budget import Budget
from guestclock.disks.fields import u32, u64
from guestclock.disks.problem import Damaged
from guestclock.disks.registry.base_block import BASE, SECTOR, BaseBlock
from guestclock.disks.registry.log import Log
from guestclock.disks.registry.overlay import Overlay
from guestclock.disks.source import Source


def apply_old_log(log: Log, base: BaseBlock, overlay: Overlay, budget: Budget) -> None:
    """Lays all sectors of a log over the bins, or none.

    Raises Damaged where the log is not whole or not this hive's.
    """
    if log.base.first != log.base.second:
        raise Damaged("the transaction log was not written to its end")
    written = base.written if base.sound else u64(overlay.read_at(0, 32), 20)
    if log.base.written != written:
        raise Damaged("the transaction log is of another time than the hive")
    bins = log.base.size
    if not bins or bins % BASE:
        raise Damaged(f"the transaction log says that the hive has {bins} bytes")
    start = _vector(log)
    bits = log.source.read_at(start + 4, bins // SECTOR // 8)
    at = start + 4 + len(bits) + SECTOR - 1 & -SECTOR
    places: list[tuple[int, int]] = []
    for sector in _dirty(bits, budget):
        _check(log.source, sector * SECTOR, at, bins)
        places.append((sector * SECTOR, at))
        at += SECTOR
    overlay.resize(bins)
    for offset, at in places:
        overlay.cover(offset, SECTOR, log.source, at)


def _vector(log: Log) -> int:
    """Where the bitmap is: behind the base block, which fills a sector of the disk."""
    for start in (SECTOR, log.base.sector):
        if start + 4 <= log.source.size and log.source.read_at(start, 4) == b"DIRT":
            return start
    raise Damaged("the transaction log has no bitmap of what it holds")


def _dirty(bits: bytes, budget: Budget) -> list[int]:
    """The numbers of the sectors whose bit is set, the lowest bit of a byte first."""
    found: list[int] = []
    for place, byte in enumerate(bits):
        if not byte:
            continue
        budget.tick()
        found.extend(8 * place + bit for bit in range(8) if byte >> bit & 1)
    return found


def _check(log: Source, offset: int, at: int, bins: int) -> None:
    """A sector must be there; one that begins a bin must say that it is this one."""
    if at + SECTOR > log.size:
        raise Damaged("the transaction log was cut short")
    if offset % BASE:
        return
    head = log.read_at(at, 12)
    if head[:4] != b"hbin":
        return
    size = u32(head, 8)
    if u32(head, 4) != offset or size < BASE or offset + size > bins:
        raise Damaged(f"the transaction log has a wrong bin at {offset}")
