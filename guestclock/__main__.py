"""`python -m guestclock`, the same as `guestclock`."""

from __future__ import annotations

from guestclock.cli.main import main

if __name__ == "__main__":
    main()
