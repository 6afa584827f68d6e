"""What guestclock says of a server of the bed, by all sources that it can have here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Run
from tests.real.openstack.reader import OPTIONS
from tests.real.openstack.running import ZONE, Bed


@dataclass
class Foretelling:
    """The options of all sources; `guests` is the list of which system runs in which server."""

    bed: Bed
    guests: Path

    @property
    def sources(self) -> list[str]:
        """The options that name all sources."""
        host = ["-c", self.bed.uri, "--live", "--guests", str(self.guests)]
        return ["--os-cloud", "bed", *OPTIONS, *host]

    def is_guest(self, machine: str, guest: str) -> None:
        """Enters a system in Shanghai's time into the list; `machine` may be a glob."""
        with self.guests.open("a") as file:
            file.write(f'[[guest]]\nmachine = "{machine}"\nguest = "{guest}"\nzone = "{ZONE}"\n')

    def explained(self, guestclock: Run, server: str) -> Any:
        """The explanation of a server, from its JSON."""
        ran = guestclock("explain", server, *self.sources, "-f", "json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)


def error_of(explanation: Any, foretold: str) -> int | None:
    """The error in seconds that an explanation gives for a key, or for an operation."""
    errors = explanation["error_seconds"]
    if foretold in errors:
        found: int | None = errors[foretold]
        return found
    life = {one["operation"]: one["error_seconds"] for one in explanation["life"]}
    found = life[foretold]
    return found
