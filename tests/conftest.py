from __future__ import annotations

import pytest

from guestclock.databases import packaged_database, windows_zone_map
from guestclock.zones import WindowsMap, Zones


@pytest.fixture(scope="session")
def zones() -> Zones:
    """One database in every part, so that a test says nothing about this machine's own."""
    database = packaged_database()
    return Zones(database, database, database, WindowsMap(windows_zone_map()))
