"""Many proofs at once, and the bare loop that shows what they cost beside QEMU itself."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from guestclock.lab.matrix import ProofCase
from guestclock.lab.probe import MONITOR_SCRIPT, command_line
from guestclock.lab.proof import Proof, Subject, prove, subject_of
from guestclock.zones import Zones

_CHUNK = 40


@dataclass(frozen=True, slots=True)
class Tally:
    """What a matrix of proofs came to; `bare_seconds` is None where no bare loop was timed."""

    cases: int
    mismatches: tuple[Proof, ...]
    seconds: float
    bare_seconds: float | None


def prove_matrix(
    cases: Iterable[ProofCase],
    zones: Zones,
    zoneinfo: Path | None = None,
    jobs: int | None = None,
    compare_bare: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> Tally:
    """Prove every case, `jobs` at a time (default: the processors). Raises LabError.

    With `compare_bare` each chunk of cases is followed by a bare loop of the same commands, so
    that both meet the same load of the machine.
    """
    jobs = jobs or len(os.sched_getaffinity(0))
    mismatches: list[Proof] = []
    done, seconds, bare = 0, 0.0, 0.0
    with ThreadPoolExecutor(jobs) as pool:
        for chunk in _chunks(cases):
            subjects = [subject_of(case, zones) for case in chunk]
            began = time.monotonic()
            for proof in pool.map(lambda one: prove(one, zones, True, zoneinfo), subjects):
                done += 1
                if not proof.matches:
                    mismatches.append(proof)
                progress(done)
            seconds += time.monotonic() - began
            if compare_bare:
                bare += _bare_loop(subjects, zoneinfo, jobs)
    return Tally(done, tuple(mismatches), seconds, bare if compare_bare else None)


def _chunks(cases: Iterable[ProofCase]) -> Iterator[list[ProofCase]]:
    rest = iter(cases)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


def _bare_loop(subjects: Sequence[Subject], zoneinfo: Path | None, jobs: int) -> float:
    """Seconds that `jobs` shells take to start the same QEMUs one after the other."""
    scripts = [_script(subjects[number::jobs], zoneinfo) for number in range(jobs)]
    began = time.monotonic()
    shells = [
        subprocess.Popen(["/bin/sh", "-c", script], env={"PATH": os.defpath}) for script in scripts
    ]
    try:
        for shell in shells:
            shell.wait()
    except BaseException:
        for shell in shells:
            shell.kill()
            shell.wait()
        raise
    return time.monotonic() - began


def _script(subjects: Sequence[Subject], zoneinfo: Path | None) -> str:
    feed = shlex.join(["printf", "%s\\n", *MONITOR_SCRIPT.decode().splitlines()])
    lines = []
    for subject in subjects:
        arguments, environment = command_line(subject.probe(True, zoneinfo))
        words = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
        lines.append(f"{feed} | {' '.join(words)} {shlex.join(arguments)} >/dev/null 2>&1")
    return "\n".join(lines)
