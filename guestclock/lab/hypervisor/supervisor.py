"""Starts a host's libvirtd, or a QEMU, and reaps what it leaves: the parent of every orphan.

Without it a stopped QEMU falls to PID 1, which in a container may reap late or never, and
libvirt waits for that: 1.6 s for each destroy. It is started detached from any terminal, holds
the host's lock until what it starts serves, and ends by itself when nothing is left to watch.

    python -m guestclock.lab.hypervisor.supervisor '{"etc": ..., see Order}'

Standard library alone; it answers on a pipe with one line of JSON, see Answer.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from guestclock.lab.hypervisor.namespace import NoNamespace, enter, prepare_etc, try_enter

_PR_SET_CHILD_SUBREAPER = 36
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Order:
    """What to start, and how.

    `command` ends when what it starts serves (as `libvirtd --daemon`, `qemu -daemonize` do).
    Where a namespace is not allowed, `zone` is the TZ, unless `environment` has one; for root it
    may be a must. `lock` and `answer` are descriptors that were handed down.
    """

    home: str
    etc: str
    outside: str
    zone: str
    command: tuple[str, ...]
    environment: dict[str, str]
    record: str
    setup: str
    root_needs_namespace: bool
    lock: int
    answer: int


@dataclass(frozen=True, slots=True)
class Answer:
    """How it went: `problem` is None when it serves.

    `no_namespace` is None where the host's /etc is its own, else the reason why it is not; then
    `zone` is the TZ for good.
    """

    supervisor: int
    setup: str
    zone: str
    problem: str | None = None
    no_namespace: str | None = None


def main(arguments: list[str]) -> None:
    """Start it, answer, then reap until nothing is left."""
    order = Order(**json.loads(arguments[0]))
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    answer = _start(order)
    text = json.dumps(asdict(answer))
    if answer.problem is None:
        beside = Path(f"{order.record}.new")
        beside.write_text(text)
        beside.replace(order.record)
    os.close(order.lock)
    # Whoever asked may have been killed meanwhile; the next one reads the record.
    with suppress(BrokenPipeError):
        os.write(order.answer, text.encode())
    os.close(order.answer)
    _reap()


def _start(order: Order) -> Answer:
    root = os.geteuid() == 0
    no_namespace = _enter(order)
    answer = Answer(os.getpid(), order.setup, order.zone, None, no_namespace)
    environment = dict(order.environment)
    if no_namespace is not None:
        if root and order.root_needs_namespace:
            # Outside of one, root's libvirtd would be the system's own.
            problem = f"root needs a user namespace for a daemon of the lab's own ({no_namespace})"
            return replace(answer, problem=problem)
        environment.setdefault("TZ", order.zone)
    try:
        subprocess.run(
            order.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=True,
            timeout=_START_SECONDS,
        )
    except subprocess.CalledProcessError as failure:
        words = failure.stderr.decode(errors="replace").strip().splitlines()
        last = words[-1] if words else f"exit status {failure.returncode}"
        return replace(answer, problem=f"{order.command[0]}: {last}")
    except (OSError, subprocess.TimeoutExpired) as failure:
        return replace(answer, problem=str(failure))
    return answer


def _enter(order: Order) -> str | None:
    etc, outside = Path(order.etc), Path(order.outside)
    try:
        prepare_etc(etc, outside, Path(order.home))
        try_enter(etc, outside, Path(order.home))
        enter(etc, outside)
    except NoNamespace as reason:
        return str(reason)
    return None


def _reap() -> None:
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    main(sys.argv[1:])
