"""Proofs a second against a bare loop of the same QEMU commands, interleaved in one run."""

from __future__ import annotations

import argparse

from guestclock.databases import zones_at_hand
from guestclock.lab.matrix import random_cases
from guestclock.lab.proving import prove_matrix


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    zones = zones_at_hand()
    cases = random_cases(options.count, options.seed, zones.host)
    tally = prove_matrix(cases, zones, compare_bare=True)
    assert tally.bare_seconds is not None
    ratio = tally.bare_seconds / tally.seconds
    print(f"{tally.cases} proofs, {len(tally.mismatches)} mismatches")
    print(f"rate of proofs / rate of a bare loop of the same QEMU commands: {ratio:.2f}")


if __name__ == "__main__":
    main()
