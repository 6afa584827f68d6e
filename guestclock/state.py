"""Where guestclock keeps what it has to remember for a user."""

from __future__ import annotations

import os
from pathlib import Path


def state_folder() -> Path:
    """The user's state folder of guestclock, by XDG_STATE_HOME where that is an absolute path."""
    given = os.environ.get("XDG_STATE_HOME", "")
    base = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return base / "guestclock"
