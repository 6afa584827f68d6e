"""`python -m guestclock`, the same as `guestclock`."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Runs the command line of this process and leaves with its exit code."""
    # What is imported is never garbage; the search for it is a tenth of a start-up.
    gc.disable()
    if sys.argv[1:2] == ["inspect"]:
        # Two processes are ready sooner than one: the other one reads, this one parses.
        from guestclock.disks.worker import start_ahead

        start_ahead()
    from guestclock.cli.main import main

    main()


if __name__ == "__main__":
    main()
