"""Asks a real Nova what it writes: the clock and the Hyper-V features for each kind of server.

Run by the Python of an environment that has a release of Nova (scripts/nova-truth makes one); it
needs nothing of guestclock there, and no libvirt. Nova's own code answers: ImageMeta and the API
for which os_type an image may have and what a server gets of it, and the libvirt driver's
`_set_clock` and `_set_features` for what the domain gets.

    python tools/nova_truth.py                  prints the answers, as JSON
    python tools/nova_truth.py --check FILE     fails where they differ from the record
    python tools/nova_truth.py --record FILE    puts them into the record

The record has three tables. A part of a table says for which releases it holds; a row says for
which points of the grid, and what it does not name is any.
"""

from __future__ import annotations

import argparse
import difflib
import inspect
import itertools
import json
import logging
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Old releases of Nova want Python 3.8, which cannot say this at run time.
    from collections.abc import Callable, Iterable, Mapping

    Point = tuple[Any, ...]
    Row = dict[str, Any]
    Record = dict[str, Any]

GRID: dict[str, list[Any]] = {
    "os_type": [
        *(None, "", "windows", "Windows", "WINDOWS", " windows", "windows "),
        *("linux", "Linux", "bsd", "other"),
    ],
    "virt_type": ["kvm", "qemu", "lxc", "parallels"],
    "arch": ["x86_64", "i686", "aarch64", "ppc64", "s390x"],
    "hw_time_hpet": [None, False, True],
}
"""The points asked for; None is a property that the image does not have."""


class Nova:
    """The Nova of this environment, as far as it decides on a clock."""

    def __init__(self) -> None:
        # No file of a real Nova on this machine may have a say.
        self.conf = import_module("nova.conf").CONF
        self.conf([], project="nova", default_config_files=[], default_config_dirs=[])
        self.objects = import_module("nova.objects")
        self.objects.register_all()
        self.api = import_module("nova.compute.api")
        self.exception = import_module("nova.exception")
        self.config = import_module("nova.virt.libvirt.config")
        # Neither is started: what is asked of them needs no state.
        driver = import_module("nova.virt.libvirt.driver").LibvirtDriver
        self.driver = driver.__new__(driver)
        # Looked up by newer releases, for another feature than those of Hyper-V.
        host = {"supports_mem_encryption": False, "supports_amd_sev": False}
        self.driver._host = SimpleNamespace(**host)
        self.compute = self.api.API.__new__(self.api.API)

    def os_type(self, value: str | None) -> Row:
        """What becomes of an image's os_type: read by Nova as, copied to the server as."""
        image = {"properties": {} if value is None else {"os_type": value}}
        try:
            properties = self.api._get_image_meta_obj(image).properties
        except self.exception.NovaException as refusal:
            return {"image": value, "status": refusal.code}
        copied = self.compute._inherit_properties_from_image(image, auto_disk_config=None)
        read_as = properties.get("os_type")
        return {"image": value, "read_as": read_as, "server": copied["os_type"]}

    def clock(self, point: Point) -> str:
        """The `<clock>` of a domain, as text."""
        guest = self._call(self.driver._set_clock, point)
        return str(guest.clock.to_xml(pretty_print=False))

    def hyperv(self, point: Point) -> list[str]:
        """The names of the Hyper-V features of a domain, sorted."""
        guest = self._call(self.driver._set_features, point)
        found = [one.format_dom() for one in guest.features]
        return sorted(child.tag for one in found if one.tag == "hyperv" for child in one)

    def _call(self, method: Callable[..., None], point: Point) -> Any:  # noqa: ANN401 - a Nova object
        os_type, virt_type, arch, hpet = point
        self.conf.set_override("virt_type", virt_type, "libvirt")
        properties = {"hw_architecture": arch}
        if hpet is not None:
            properties["hw_time_hpet"] = str(hpet)
        guest = self.config.LibvirtConfigGuest()
        image = {"id": "00000000-0000-0000-0000-000000000000", "properties": properties}
        known = {
            "guest": guest,
            "os_type": os_type,
            "image_meta": self.objects.ImageMeta.from_dict(image),
            "flavor": self.objects.Flavor(name="any", extra_specs={}),
            # Releases before 26 are told what later ones look up.
            "virt_type": virt_type,
            "caps": None,
        }
        # The parameters changed from release to release, their names did not.
        method(**{name: known[name] for name in inspect.signature(method).parameters})
        return guest


def measure() -> dict[str, list[Row]]:
    """All answers of this environment's Nova, as the record has them."""
    nova = Nova()
    points = list(itertools.product(*GRID.values()))
    return {
        "os_types": [nova.os_type(value) for value in GRID["os_type"]],
        "clocks": boxes("clock", {point: nova.clock(point) for point in points}),
        "hyperv": boxes("features", {point: nova.hyperv(point) for point in points}),
    }


def boxes(name: str, answers: Mapping[Point, Any]) -> list[Row]:
    """The fewest rows that greedy merging finds: each an answer and the points that have it."""
    found: dict[str, list[Point]] = {}
    for point, answer in answers.items():
        found.setdefault(json.dumps(answer), []).append(tuple((one,) for one in point))
    rows = []
    for answer, parts in found.items():
        for axis in reversed(range(len(GRID))):
            parts = list(merged(parts, axis))
        rows += [{**named(part), name: json.loads(answer)} for part in parts]
    return rows


def merged(parts: Iterable[Point], axis: int) -> Iterable[Point]:
    """Boxes joined into one where they differ along one axis alone."""
    along: dict[Point, Point] = {}
    for part in parts:
        others = part[:axis] + part[axis + 1 :]
        along[others] = along.get(others, ()) + part[axis]
    return ((*others[:axis], values, *others[axis:]) for others, values in along.items())


def named(part: Point) -> Row:
    """A box by the names of the grid, without those of which it has all."""
    sides = dict(zip(GRID, part))  # noqa: B905 - Python 3.8, for old releases, knows no `strict`
    return {name: list(side) for name, side in sides.items() if len(side) < len(GRID[name])}


def answers_of(record: Record, release: str) -> dict[str, list[Row]]:
    """What a record says of one release."""
    return {
        table: next(part["rows"] for part in parts if release in part["releases"])
        for table, parts in record.items()
        if table != "grid"
    }


def releases_of(record: Record) -> list[str]:
    """The releases in a record, the newest first."""
    return newest_first({one for part in record.get("clocks", []) for one in part["releases"]})


def newest_first(releases: Iterable[str]) -> list[str]:
    """Releases such as 29.2.0 in the order of their numbers."""
    return sorted(releases, key=lambda one: [int(part) for part in one.split(".")], reverse=True)


def with_release(record: Record, release: str, measured: dict[str, list[Row]]) -> Record:
    """A record with a release's answers put in, or put in the place of older ones."""
    known = releases_of(record) if record.get("grid") == GRID else []
    answers = {**{one: answers_of(record, one) for one in known}, release: measured}
    made: Record = {"grid": GRID}
    for table in measured:
        parts: dict[str, list[str]] = {}
        for one in newest_first(answers):
            parts.setdefault(json.dumps(answers[one][table]), []).append(one)
        made[table] = [{"releases": who, "rows": json.loads(rows)} for rows, who in parts.items()]
    return made


def render(value: Any, depth: int = 0) -> str:  # noqa: ANN401 - any part of a record
    """A record as JSON, with a row on one line."""
    if depth > 1 and not nests(value):
        return json.dumps(value)
    inside = "\n" + " " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{json.dumps(key)}: {render(one, depth + 1)}" for key, one in value.items()]
        first, last = "{}"
    else:
        lines = [render(one, depth + 1) for one in value]
        first, last = "[]"
    return first + inside + f",{inside}".join(lines) + inside[:-1] + last


def nests(value: Any) -> bool:  # noqa: ANN401 - any part of a record
    """Whether a record or row lies within it."""
    if not isinstance(value, (dict, list)):
        return False
    within = value.values() if isinstance(value, dict) else value
    return any(isinstance(one, dict) or nests(one) for one in within)


def check(record: Record, release: str, measured: dict[str, list[Row]]) -> str:
    """How a release differs from what is recorded of it, or of the newest; "" where it does not."""
    known = releases_of(record)
    against = release if release in known else known[0]
    if against != release:
        say(f"nova {release} is not in the record: compared with {against}")
    if record["grid"] != GRID:
        return "the record is for other points than this tool asks for: record it anew"
    old, new = (render(one).splitlines() for one in (answers_of(record, against), measured))
    names = (f"nova {against}, recorded", f"nova {release}")
    return "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))


def say(line: str) -> None:
    """Puts a line on standard error."""
    print(f"nova-truth: {line}", file=sys.stderr)


def main() -> None:
    """Prints, compares or records."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", type=Path, metavar="FILE", help="compare with the record")
    what.add_argument("--record", type=Path, metavar="FILE", help="write into the record")
    asked = parser.parse_args()
    # Its warnings are for operators; what it answers is what counts here.
    logging.disable()
    release, measured = version("nova"), measure()
    if asked.check:
        if difference := check(json.loads(asked.check.read_text("utf-8")), release, measured):
            print(difference)
            sys.exit(1)
        say(f"nova {release} does what the record says")
    elif asked.record:
        record = json.loads(asked.record.read_text("utf-8")) if asked.record.exists() else {}
        text = render(with_release(record, release, measured)) + "\n"
        asked.record.write_text(text, encoding="utf-8")
        say(f"nova {release} is recorded")
    else:
        print(render(with_release({}, release, measured)))


if __name__ == "__main__":
    main()
