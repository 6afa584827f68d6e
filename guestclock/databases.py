"""The zone databases at hand: the system's, the packaged one, and the Windows map.

This is where the files are read; what they mean is the business of `guestclock.zones`, which
gets them handed in.
"""

from __future__ import annotations

import csv
import io
import os
import re
import stat
import struct
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from guestclock.errors import Unreadable
from guestclock.zones import WindowsMap, WindowsZone, ZoneDatabase, Zones

SYSTEM_ROOT = Path("/usr/share/zoneinfo")
UNKNOWN_RELEASE = "unknown release"

# No zone's file comes near this; a file that does is none.
_LARGEST = 1 << 20
# Copies and links that a zone database keeps beside its zones, and nobody means as a zone.
_NOT_PROPOSED = {"posix", "right", "posixrules", "localtime"}


class FolderDatabase:
    """A database as a folder of TZif files, one a zone, as zic writes them."""

    def __init__(self, root: Path, name: str, release: str) -> None:
        self.name = name
        self.release = release
        self._root = os.path.realpath(root)
        # Names come from other people's definitions, so what is remembered must have an end.
        self._cached = lru_cache(maxsize=2048)(self._load)
        self._names: frozenset[str] | None = None

    def __repr__(self) -> str:
        return f"<zone database {self.name}, {self.release}>"

    def get(self, key: str) -> ZoneInfo | None:
        """The zone of a regular file inside the folder, or None; no name whatever raises."""
        return self._cached(key)

    def names(self) -> frozenset[str]:
        """The names of all zone files, read from the folder at the first call."""
        if self._names is None:
            self._names = frozenset(self._walk(self._root, ""))
        return self._names

    def _load(self, key: str) -> ZoneInfo | None:
        data = self._read(key, _LARGEST)
        if data is None:
            return None
        try:
            return ZoneInfo.from_file(io.BytesIO(data), key)
        except (ValueError, IndexError, EOFError, OverflowError, struct.error):
            return None

    def _read(self, key: str, size: int) -> bytes | None:
        try:
            path = os.path.realpath(os.path.join(self._root, key))
            if os.path.commonpath([path, self._root]) != self._root:
                return None
            # A fifo or a device may lie there in a container that somebody else made.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        try:
            return os.read(descriptor, size) if _regular(descriptor) else None
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        with os.scandir(folder) as entries:
            for entry in entries:
                key = prefix + entry.name
                if key in _NOT_PROPOSED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    yield from self._walk(entry.path, f"{key}/")
                elif self._read(key, 4) == b"TZif":
                    yield key


def _regular(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def system_database(root: str | os.PathLike[str] = SYSTEM_ROOT) -> ZoneDatabase | None:
    """The database under a folder, by default this system's, or None where there is none.

    For another process' view give the folder through its root: /proc/PID/root/usr/share/zoneinfo.
    """
    folder = Path(root)
    if not folder.is_dir():
        return None
    return FolderDatabase(folder, str(folder), _release(folder))


def _release(folder: Path) -> str:
    try:
        with (folder / "tzdata.zi").open(encoding="utf-8", errors="replace") as file:
            found = re.match(r"# version (\S+)", file.readline(256))
        if found:
            return found[1]
    except OSError:
        pass
    try:
        text = (folder / "+VERSION").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        text = ""
    return text or UNKNOWN_RELEASE


@cache
def packaged_database() -> ZoneDatabase:
    """The database of the tzdata package. Raises ModuleNotFoundError where it is not installed."""
    import tzdata

    root = Path(tzdata.__file__).parent / "zoneinfo"
    return FolderDatabase(root, "Python's tzdata package", tzdata.IANA_VERSION)


def newest(databases: Iterable[ZoneDatabase]) -> ZoneDatabase:
    """The database of the latest release; the first of equals; an unknown release is oldest.

    Raises ValueError where there is none.
    """
    return max(databases, key=lambda database: _age(database.release))


def _age(release: str) -> tuple[int, int, str]:
    """Orders releases: 2025b before 2026a, and 2026z before 2026za."""
    found = re.match(r"(\d{4})([a-z]*)", release)
    return (int(found[1]), len(found[2]), found[2]) if found else (0, 0, "")


@cache
def windows_zone_map() -> tuple[WindowsZone, ...]:
    """The rows of the Windows map, in the order in which WindowsMap wants them.

    The file is made by tools/make_windows_zones.py; each row names its source and release.
    """
    path = Path(__file__).parent / "data" / "windows_zones.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(line for line in file if not line.startswith("#"))
        assert next(rows) == list(WindowsZone.__dataclass_fields__)
        return tuple(WindowsZone(*row) for row in rows)


@cache
def zones_at_hand(root: str | os.PathLike[str] = SYSTEM_ROOT) -> Zones:
    """The databases for a host that sees those under `root`, each in its part.

    Where `root` has none, the host is somebody else's, and the packaged database stands for it.
    Inside another program, such as the openstack client, guestclock may be there without the
    tzdata package: the system's database then has every part. Raises Unreadable where there is
    neither.
    """
    system = system_database(root)
    try:
        packaged = packaged_database()
    except ModuleNotFoundError:
        if system is None:
            raise Unreadable(
                f"there is no zone database: {root} is no folder, and Python has no tzdata",
                "install the package tzdata, of the system or of Python",
            ) from None
        packaged = system
    host = system or packaged
    truth = newest((packaged, host))
    return Zones(host=host, truth=truth, guest=truth, windows=WindowsMap(windows_zone_map()))
