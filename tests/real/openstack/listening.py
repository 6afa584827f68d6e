"""`guestclock listen` as a process, the bed's broker, and a way to it that can be cut."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

import pytest

from tests.real.openstack.running import Bed

PATIENCE = 90.0
_STEP = 0.1


def until(met: Callable[[], bool], what: str) -> None:
    """Waits until it is so."""
    never = Event()
    for _ in range(int(PATIENCE / _STEP)):
        if met():
            return
        never.wait(_STEP)
    pytest.fail(f"not seen: {what}")


@dataclass(frozen=True)
class Rabbit:
    """The bed's broker, as its administrator sees it."""

    bed: Bed

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        parts = urlsplit(self.bed.transport_url)
        return parts.hostname or "", parts.port or 0

    def control(self, *arguments: str) -> str:
        """What rabbitmqctl says; its node is found by the environment of the broker itself."""
        pid = (self.bed.folder / "run/rabbitmq.pid").read_text().split()[0]
        pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
        environment = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        # The wrapper on PATH would change the user.
        program = "/usr/lib/rabbitmq/bin/rabbitmqctl"
        command = [program, "--quiet", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            pytest.fail(f"{arguments} gave {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    def queues(self, host: str = "/") -> dict[str, int]:
        """The messages that wait in each queue of a virtual host."""
        text = self.control("list_queues", "-p", host, "name", "messages", "--formatter", "json")
        return {queue["name"]: int(queue["messages"]) for queue in json.loads(text)}

    def exchanges(self, host: str = "/") -> set[str]:
        """The exchanges of a virtual host."""
        text = self.control("list_exchanges", "-p", host, "name", "--formatter", "json")
        return {exchange["name"] for exchange in json.loads(text)}

    def url(self, user: str, password: str, host: str = "") -> str:
        """A transport URL."""
        name, port = self.address
        return f"rabbit://{user}:{password}@{name}:{port}/{host}"

    @contextmanager
    def user(self, name: str, password: str) -> Iterator[None]:
        """A user without any right, who is gone in the end."""
        self.control("add_user", name, password)
        try:
            yield
        finally:
            self.control("delete_user", name)

    @contextmanager
    def virtual_host(self, name: str) -> Iterator[None]:
        """A virtual host for the bed's own user, gone in the end with all that is in it."""
        self.control("add_vhost", name)
        try:
            self.control("set_permissions", "-p", name, "bed", ".*", ".*", ".*")
            yield
        finally:
            self.control("delete_vhost", name)


@dataclass
class Listening:
    """A running `guestclock listen`; `said` is what it has said so far, line by line."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))

    def await_line(self, text: str, start: int = 0) -> None:
        """Waits until it says so in a line after the first `start` ones."""

        def said() -> bool:
            if self.process.poll() is not None and not self._reader.is_alive():
                assert any(text in line for line in self.said[start:]), self.said
            return any(text in line for line in self.said[start:])

        until(said, f"{text!r} among {self.said}")

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(PATIENCE)
        self._reader.join()
        return code

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.ended()


@contextmanager
def started(
    url: str, record: Path, *options: str, largest: int | None = None
) -> Iterator[Listening]:
    """A listener that may not be ready yet, or may refuse; `largest` bytes are a full disk."""
    prefix = [] if largest is None else [shutil.which("prlimit") or "", f"--fsize={largest}"]
    command = [sys.executable, "-m", "guestclock", "listen", "env:BROKER", "--record", str(record)]
    process = subprocess.Popen(
        [*prefix, *command, *options],
        env=os.environ | {"BROKER": url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    listening = Listening(process)
    try:
        yield listening
    finally:
        process.kill()
        listening.ended()


@contextmanager
def listener(url: str, record: Path, *options: str) -> Iterator[Listening]:
    """A listener whose queue is there."""
    with started(url, record, *options) as listening:
        listening.await_line("listening on")
        yield listening


class Way:
    """A port that leads to the broker, until it is cut."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self._target)
                self._open += [near, far]
                for pair in ((near, far), (far, near)):
                    Thread(target=_pass_on, args=pair, daemon=True).start()

    def break_connections(self) -> None:
        """Ends what is connected; who connects again gets through."""
        ended, self._open = self._open, []
        _shut(ended)

    def cut(self) -> None:
        """Lets nobody through any more."""
        # A thread that waits in accept() would keep the port open.
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.break_connections()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    _shut((source, target))


def _shut(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
