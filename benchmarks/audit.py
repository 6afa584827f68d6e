"""`guestclock audit DIR -f json` against a bare loop that only parses the same files with lxml.

    python benchmarks/audit.py                      20,000 files, then the memory of 200,000
    python benchmarks/audit.py --count 4000 --no-memory

Both run as processes of their own, in turn, several times; the ratio is that of the fastest runs,
which other work on the machine has disturbed least. Memory is the peak of the audit's processes
together, as the kernel counts it for a child and its children.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import make_domains

MOST_RATIO = 2.0
MOST_GROWTH_MB = 30
BARE = """
import os, sys
from lxml import etree
parser = etree.XMLParser(resolve_entities=False, no_network=True)
folder = sys.argv[1]
for name in sorted(os.listdir(folder)):
    path = f"{folder}/{name}"
    os.stat(path)
    etree.parse(path, parser)
"""
# The peak of the largest process, and of the largest of its children, in KiB.
PEAK = """
import resource, sys
from guestclock.cli.main import guestclock
guestclock(sys.argv[1:], standalone_mode=False)
own, children = (resource.getrusage(who).ru_maxrss for who in
                 (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(own, children, file=sys.stderr)
"""


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def speed(folder: Path, rounds: int) -> float:
    """Prints and returns the ratio."""
    audit = [sys.executable, "-m", "guestclock", "audit", str(folder), "-f", "json"]
    audit += ["--host-zone", "Europe/Berlin", "--fail-on", "never"]
    bare = [sys.executable, "-c", BARE, str(folder)]
    seconds(bare)
    pairs = [(seconds(bare), seconds(audit)) for _ in range(rounds)]
    for one, other in pairs:
        print(f"  bare lxml {one:6.2f} s   audit {other:6.2f} s   ratio {other / one:.2f}")
    ratio = min(audit for _, audit in pairs) / min(bare for bare, _ in pairs)
    print(f"audit is {ratio:.2f} times a bare parse (at most {MOST_RATIO})")
    return ratio


def peak_mb(folder: Path) -> float:
    """The peak of the audit itself plus that of one worker for each core, in MB."""
    command = [sys.executable, "-c", PEAK, "audit", str(folder), "-f", "json"]
    command += ["--host-zone", "Europe/Berlin", "--fail-on", "never"]
    done = subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    own, child = (int(figure) for figure in done.stderr.split()[-2:])
    return (own + child * len(os.sched_getaffinity(0))) / 1000


def memory(small: Path, large: Path) -> float:
    """Prints and returns by how many MB the peak grows."""
    one, ten = peak_mb(small), peak_mb(large)
    print(f"peak {one:.0f} MB, for ten times the files {ten:.0f} MB (at most +{MOST_GROWTH_MB})")
    return ten - one


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-memory", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        small, large = Path(place) / "small", Path(place) / "large"
        make_domains.make(small, options.count, 1)
        holds = speed(small, options.rounds) <= MOST_RATIO
        if not options.no_memory:
            make_domains.make(large, 10 * options.count, 2)
            holds &= memory(small, large) <= MOST_GROWTH_MB
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
