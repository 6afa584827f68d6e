"""Makes guestclock/data/windows_zones.csv: Windows and IANA zone names, each row with its source.

Three sources are laid over each other, the newer over the older:

- CLDR's windowsZones, with a zone for each territory (npm's cldr-core);
- the ids that tzlocal has and CLDR has not yet; a zone that has moved to such an id leaves its
  old one;
- the links of the IANA database (PyPI's tzdata): other names of the same zones.

CLDR never renames a zone, but systems drop old names (Debian and Ubuntu keep them in a package
of their own), and a name that the host lacks is silently UTC. So a row has today's name, by
zone.tab, and the old one follows it as a link.

    python tools/make_windows_zones.py            writes the file
    python tools/make_windows_zones.py --check    fails where it is not up to date
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

import tzdata
from tzlocal.windows_tz import tz_win, win_tz

TARGET = Path(__file__).parent.parent / "guestclock" / "data" / "windows_zones.csv"
HEADER = """\
# Windows and IANA zone names; made by tools/make_windows_zones.py, do not edit.
# The first row of a Windows zone and territory is its zone; 001 is the default territory.
# From Unicode CLDR, copyright Unicode, Inc., under the Unicode License (LICENSE-unicode.txt),
# with newer ids from tzlocal and links from the IANA time zone database.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file."""

    windows: str
    territory: str
    iana: str
    source: str


@dataclass(frozen=True, slots=True)
class Iana:
    """What the IANA database says about names: which exist, whose, and which are one zone."""

    release: str
    targets: Mapping[str, str]
    territories: Mapping[str, frozenset[str]]

    def root(self, name: str) -> str:
        """The zone that a name finally links to, or itself."""
        while name in self.targets:
            name = self.targets[name]
        return name

    def today(self, name: str, territory: str) -> str:
        """Today's name of a zone in a territory: zone.tab's, where it has one for it.

        A link is either a new name or a neighbour with equal clocks: America/Coral_Harbour links
        to America/Panama, but in Canada it is America/Atikokan today.
        """
        if name in self.territories:
            return name
        root = self.root(name)
        same = [
            one
            for one, owners in self.territories.items()
            if territory in owners and self.root(one) == root
        ]
        if len(same) == 1:
            return same[0]
        return root if root in self.territories else name


def main() -> None:
    """Writes the file, or compares it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    text = render(rows(read_cldr(), read_iana()))
    if not check:
        TARGET.write_text(text, encoding="utf-8")
    elif TARGET.read_text(encoding="utf-8") != text:
        sys.exit(f"{TARGET.name} is not what its sources make today: run {Path(__file__).name}")


def read_cldr() -> list[Row]:
    """CLDR's rows, by `npm pack cldr-core` in a folder that goes away again."""
    with tempfile.TemporaryDirectory() as folder:
        packing = ["npm", "pack", "--silent", "--pack-destination", folder, "cldr-core"]
        subprocess.run(packing, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).iterdir()
        with tarfile.open(archive) as tar:
            package = json.load(_member(tar, "package/package.json"))
            data = json.load(_member(tar, "package/supplemental/windowsZones.json"))
    release = package["version"].removesuffix(".0")
    return [
        Row(zone["_other"], zone["_territory"], name, f"CLDR {release}")
        for zone in (one["mapZone"] for one in data["supplemental"]["windowsZones"]["mapTimezones"])
        for name in zone["_type"].split()
    ]


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    assert file is not None
    return file


def read_iana() -> Iana:
    """Links and territories as the tzdata package has them."""
    folder = Path(tzdata.__file__).parent / "zoneinfo"
    links = (line.split() for line in (folder / "tzdata.zi").read_text("utf-8").splitlines())
    table = (line.split("\t") for line in (folder / "zone.tab").read_text("utf-8").splitlines())
    territories: defaultdict[str, set[str]] = defaultdict(set)
    for fields in table:
        if len(fields) >= 3:
            territories[fields[2]].add(fields[0])
    return Iana(
        tzdata.IANA_VERSION,
        {fields[2]: fields[1] for fields in links if fields[:1] == ["L"]},
        {name: frozenset(owners) for name, owners in territories.items()},
    )


def rows(cldr: list[Row], iana: Iana) -> list[Row]:
    """All rows, sorted: by Windows id, the default territory first, then its links."""
    own, moved = newer(cldr, iana)
    kept = [one for one in cldr if one.iana not in moved or one.territory == "001"]
    base = list(renamed([*own, *kept], iana))
    known: dict[str, Row] = {}
    for row in base:
        if row.territory != "001" or row.iana not in known:
            known[row.iana] = row
    # Sorting is stable: within a territory the first row stays the zone, its links follow.
    return sorted([*base, *aliases(known, iana)], key=lambda row: (row.windows, row.territory))


def newer(cldr: list[Row], iana: Iana) -> tuple[list[Row], set[str]]:
    """The rows of Windows ids that CLDR lacks, and the zones that have moved to them."""
    source = f"tzlocal {version('tzlocal')}"
    ids = win_tz.keys() - {one.windows for one in cldr}
    moved = {name for name, windows in tz_win.items() if windows in ids}
    found = [Row(windows, "001", win_tz[windows], source) for windows in sorted(ids)]
    for name in sorted(moved, key=lambda one: (one != win_tz[tz_win[one]], one)):
        found += [
            Row(tz_win[name], territory, name, source)
            for territory in sorted(iana.territories.get(name, ()))
        ]
    return found, moved


def renamed(found: Iterable[Row], iana: Iana) -> Iterator[Row]:
    """The rows under today's names, each old name following as a link."""
    found = list(found)
    names = {
        one.iana: iana.today(one.iana, one.territory) for one in found if one.territory != "001"
    }
    for row in found:
        today = names.get(row.iana) or iana.today(row.iana, row.territory)
        yield Row(row.windows, row.territory, today, row.source)
        if today != row.iana:
            yield Row(row.windows, row.territory, row.iana, f"{row.source}, now {today}")


def aliases(known: Mapping[str, Row], iana: Iana) -> Iterator[Row]:
    """A row for each link whose zone is known, unless it is itself."""
    for name in sorted(iana.targets.keys() - known.keys()):
        target = iana.targets[name]
        if target not in known:
            root = iana.root(name)
            target = min((one for one in known if iana.root(one) == root), default="")
        if target:
            row = known[target]
            source = f"{row.source}, IANA {iana.release} link to {target}"
            yield Row(row.windows, row.territory, name, source)


def render(found: Iterable[Row]) -> str:
    """The file's text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Row.__dataclass_fields__)
    writer.writerows((one.windows, one.territory, one.iana, one.source) for one in found)
    return HEADER + out.getvalue()


if __name__ == "__main__":
    main()
