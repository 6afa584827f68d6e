"""How long `guestclock --version` and `--help` take against `python -c pass`.

Run it with the Python that guestclock is installed for: `python benchmarks/startup.py`. The
commands take turns, so that a busy machine slows all of them alike; the ratio is that of the
medians. It is promised to stay within 5.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 5.0


def measure(commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """The median seconds of each command over interleaved rounds."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}


def program() -> list[str]:
    """The installed `guestclock` beside this Python, else the module."""
    script = Path(sys.executable).parent / "guestclock"
    return [str(script)] if os.access(script, os.X_OK) else [sys.executable, "-m", "guestclock"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=41, help="how often each is run")
    rounds = parser.parse_args().rounds
    bare = [sys.executable, "-c", "pass"]
    commands = {
        "python -c pass": bare,
        "guestclock --version": [*program(), "--version"],
        "guestclock --help": [*program(), "--help"],
    }
    measure(commands, 2)  # fills the page cache and writes __pycache__
    medians = measure(commands, rounds)
    base = medians["python -c pass"]
    for name, seconds in medians.items():
        print(f"{name:<22} {seconds * 1000:6.1f} ms  ratio {seconds / base:.2f}")
    worst = max(medians.values()) / base
    print(f"worst ratio {worst:.2f}, promised at most {LIMIT:.1f}")


if __name__ == "__main__":
    main()
