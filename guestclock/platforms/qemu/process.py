"""A QEMU process as /proc shows it: its command line, its TZ, and the zone of its file system.

Source: proc(5). What permission is missing for is Unknown, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from guestclock.evidence import Fact, Observed, Unknown
from guestclock.platforms.qemu.localtime import zone_of_root

_AS_ROOT = "run as root on the host"


@dataclass(frozen=True, slots=True)
class QemuProcess:
    """A process by its id; each question reads /proc anew."""

    pid: int
    proc: str = "/proc"

    def words(self) -> Observed[tuple[str, ...]] | Unknown:
        """The words of its command line."""
        content = self._read("cmdline")
        if isinstance(content, Unknown):
            return content
        words = tuple(os.fsdecode(word) for word in content.removesuffix(b"\0").split(b"\0"))
        if words == ("",):
            return Unknown(f"process {self.pid} has no command line: it has ended")
        return Observed(words, f"/proc/{self.pid}/cmdline")

    def environment_zone(self) -> Fact[str | None]:
        """The TZ it was started with; None is none."""
        content = self._read("environ")
        if isinstance(content, Unknown):
            return content
        for entry in content.split(b"\0"):
            if entry.startswith(b"TZ="):
                return Observed(os.fsdecode(entry[3:]), f"/proc/{self.pid}/environ")
        return Observed(None, f"/proc/{self.pid}/environ")

    def localtime_zone(self) -> Fact[str]:
        """The zone that /etc/localtime is in its mount namespace."""
        return zone_of_root(f"{self.proc}/{self.pid}/root", f"process {self.pid}")

    def _read(self, name: str) -> bytes | Unknown:
        try:
            with open(f"{self.proc}/{self.pid}/{name}", "rb") as file:
                return file.read()
        except (FileNotFoundError, ProcessLookupError):
            return Unknown(f"there is no process {self.pid}")
        except OSError as problem:
            return Unknown(f"/proc/{self.pid}/{name} cannot be read: {problem.strerror}", _AS_ROOT)


def qemu_processes(proc: str = "/proc") -> Iterator[QemuProcess]:
    """All processes whose program is qemu-system-* or qemu-kvm, by rising pid."""
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        process = QemuProcess(pid, proc)
        words = process.words()
        if isinstance(words, Observed) and _is_qemu(os.path.basename(words.value[0])):
            yield process


def _is_qemu(program: str) -> bool:
    return program.startswith("qemu-system-") or program in ("qemu-kvm", "kvm")
