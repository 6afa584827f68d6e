"""QEMU's monitor protocol: one command at a time, and the events between them.

Protocol: QEMU docs/interop/qmp-spec. A machine's RTC is read with `qom-get /machine rtc-time`,
which disturbs nothing and works in any state of the machine (measured on QEMU 7.2).
"""

from __future__ import annotations

import json
import time
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any

from guestclock.lab.errors import LabError
from guestclock.lab.lines import Lines, Stream, TookTooLong, connect

# What QMP sends is JSON objects of whatever shape the command has.
Message = dict[str, Any]


class QmpError(LabError):
    """QEMU refused a command, or spoke something else than QMP.

    `kind` is QEMU's class of error ("GenericError", ...), empty where there is none.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class Qmp:
    """One connection to QEMU's monitor, ready for commands; also a context manager.

    Each command is given `patience` seconds. Events are kept until somebody waits for them.
    """

    def __init__(self, stream: Stream, patience: float = 10.0) -> None:
        self._lines = Lines(stream, "QEMU's monitor")
        self._patience = patience
        self._events: deque[Message] = deque(maxlen=1000)
        self._number = 0
        self._wait_greeting(time.monotonic() + patience)
        self.execute("qmp_capabilities")

    def _wait_greeting(self, deadline: float) -> None:
        """Pass over the answer to a client that was killed before it came: it waits for us."""
        message = self._message(deadline)
        while "QMP" not in message:
            if not message.keys() & {"return", "error", "event"}:
                raise QmpError("QEMU's monitor does not speak QMP")
            message = self._message(deadline)

    @classmethod
    def connect(cls, path: Path, patience: float = 10.0) -> Qmp:
        """Connect to a monitor's unix socket."""
        connection = connect(path, "QEMU")
        try:
            return cls(connection, patience)
        except BaseException:
            connection.close()
            raise

    def __enter__(self) -> Qmp:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def execute(self, command: str, **arguments: object) -> Any:  # noqa: ANN401 - each command returns its own
        """Run a command and return what it returns. Raises QmpError, Closed, TookTooLong."""
        self._number += 1
        request: Message = {"execute": command, "id": self._number}
        if arguments:
            request["arguments"] = arguments
        deadline = time.monotonic() + self._patience
        self._lines.send(json.dumps(request).encode())
        while True:
            message = self._message(deadline)
            match message:
                case {"event": _}:
                    self._events.append(message)
                case {"return": answer, "id": number} if number == self._number:
                    return answer
                case {"error": {"class": kind, "desc": text}, "id": number} if (
                    number == self._number
                ):
                    raise QmpError(f"QEMU refused {command}: {text}", kind)
                case {"error": {"class": kind, "desc": text}} if "id" not in message:
                    raise QmpError(f"QEMU could not read {command}: {text}", kind)

    def wait_event(self, name: str, timeout: float) -> Message:
        """The oldest event of that name not yet taken: already here, or within `timeout` seconds.

        Raises TookTooLong; the events of other names stay for others.
        """
        for event in self._events:
            if event["event"] == name:
                self._events.remove(event)
                return event
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self._message(deadline)
            except TookTooLong as error:
                raise TookTooLong(f"QEMU sent no {name} within {timeout:g} s") from error
            if message.get("event") == name:
                return message
            if "event" in message:
                self._events.append(message)

    def close(self) -> None:
        """Close the connection; QEMU goes on."""
        self._lines.close()

    def _message(self, deadline: float) -> Message:
        line = self._lines.receive(deadline)
        try:
            message = json.loads(line)
        except ValueError as error:
            raise QmpError("QEMU's monitor does not speak QMP") from error
        if not isinstance(message, dict):
            raise QmpError("QEMU's monitor does not speak QMP")
        return message


def rtc_time(qmp: Qmp) -> datetime:
    """The RTC's reading, naive. Raises QmpError on machines without an RTC of that kind."""
    return reading_of(qmp.execute("qom-get", path="/machine", property="rtc-time"))


def reading_of(tm: Message) -> datetime:
    """A naive datetime of the C `struct tm` in which QEMU gives an RTC."""
    try:
        return datetime(
            tm["tm_year"] + 1900,
            tm["tm_mon"] + 1,
            tm["tm_mday"],
            tm["tm_hour"],
            tm["tm_min"],
            tm["tm_sec"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise QmpError(f"QEMU gave an RTC that is no date: {tm!r}") from error
