"""Starts something under a supervisor of its own, and waits until it serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor.folder import HostFolder
from guestclock.lab.hypervisor.processes import SUPERVISOR
from guestclock.lab.hypervisor.supervisor import Answer, Order


def launch(
    host: HostFolder,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    *,
    zone: str,
    record: Path,
    setup: str,
    lock: int,
    root_needs_namespace: bool,
) -> Answer:
    """Run a command that ends once what it started serves; it sees the host's own /etc.

    `zone` is its TZ where it cannot, unless it has one. The supervisor holds `lock` meanwhile, so
    that this process may be killed at any moment and the next one finds a whole thing or none.
    Raises LabError with the last words of what did not start.
    """
    log = host.path / "supervisor.log"
    reader, writer = os.pipe()
    try:
        order = Order(
            home=str(host.path),
            etc=str(host.path / "etc"),
            outside=str(host.path / "etc.outside"),
            zone=zone,
            command=command,
            environment={**environment, "HOME": str(host.path)},
            record=str(record),
            setup=setup,
            root_needs_namespace=root_needs_namespace,
            lock=lock,
            answer=writer,
        )
        with log.open("ab") as errors:
            subprocess.Popen(
                [sys.executable, "-S", "-m", SUPERVISOR, json.dumps(asdict(order))],
                env={"HOME": str(host.path), "PYTHONPATH": _package_root(), **search_path()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd="/",
                start_new_session=True,
                pass_fds=(lock, writer),
            )
    finally:
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read()
    if not text:
        raise LabError(f"the supervisor on host {host.name} failed", f"see {log}")
    answer = Answer(**json.loads(text))
    if answer.problem is not None:
        raise LabError(f"host {host.name}: {answer.problem}")
    return answer


def recorded_answer(record: Path) -> Answer | None:
    """What a supervisor wrote down when its charge served; None when there is nothing."""
    try:
        return Answer(**json.loads(record.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def search_path() -> dict[str, str]:
    """PATH with the folders of daemons, which an ordinary user's often lacks."""
    return {"PATH": f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"}


def _package_root() -> str:
    import guestclock

    return str(Path(guestclock.__file__).resolve().parent.parent)
