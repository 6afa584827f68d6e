"""What guestclock says of a server of the bed, by all sources that it can have here."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.real.openstack.reader import OPTIONS
from tests.real.openstack.running import ZONE, Bed


def all_sources(bed: Bed) -> list[str]:
    """The options that name all sources."""
    return ["--os-cloud", "bed", *OPTIONS, "-c", bed.uri, "--live"]


def guests_list(guests: dict[str, str]) -> str:
    """A list for `--guests` of which system runs in which server, all in Shanghai's time."""
    rows = (
        f'[[guest]]\nmachine = "{server}"\nguest = "{guest}"\nzone = "{ZONE}"\n'
        for server, guest in guests.items()
    )
    return "".join(rows)


def explained(bed: Bed, server: str, guest: str) -> Any:
    """The explanation of a server in which that system runs, from the command's JSON."""
    inside = ["--guest", guest, "--zone", ZONE]
    command = [sys.executable, "-m", "guestclock", "explain", server, *all_sources(bed), *inside]
    ran = subprocess.run([*command, "-f", "json"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def error_of(explanation: Any, foretold: str) -> int | None:
    """The error in seconds that an explanation gives for a key, or for an operation."""
    errors = explanation["error_seconds"]
    if foretold in errors:
        found: int | None = errors[foretold]
        return found
    life = {one["operation"]: one["error_seconds"] for one in explanation["life"]}
    found = life[foretold]
    return found
