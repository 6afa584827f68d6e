"""Gear without machines: hosts that are JSON files, so that they outlive whoever is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from lxml import etree

from guestclock.lab.console import GuestState
from guestclock.lab.errors import LabError
from guestclock.lab.guests.disk import read_setup
from guestclock.lab.hypervisor.interface import Hypervisor, Kind


def _attribute(xml: str, path: str, name: str) -> str:
    element = etree.fromstring(xml).find(path)
    assert element is not None
    return str(element.get(name))


class FakeHost:
    """A hypervisor whose machines are entries in `fake.json`: an RTC offset and a number."""

    kind: Literal["qemu"] = "qemu"

    def __init__(self, folder: Path, name: str, zone: str, time_file: Path | None) -> None:
        self.name = name
        self.zone = zone
        self.folder = folder
        self._time_file = time_file
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        state = self.state()
        yield state
        part = self.folder / ".fake.new"
        part.write_text(json.dumps(state))
        part.replace(self.folder / "fake.json")

    def state(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self.folder / "fake.json").read_text())
        except FileNotFoundError:
            state = {"defined": {}, "running": {}, "processes": 0}
        return state

    def now(self) -> datetime:
        offset = int(self._time_file.read_text()) if self._time_file else 0
        return datetime.now(UTC).replace(tzinfo=None) + timedelta(seconds=offset)

    def set_zone(self, zone: str) -> None:
        self.zone = zone

    def define(self, xml: str) -> None:
        name = etree.fromstring(xml).findtext("name")
        with self.changing() as state:
            state["defined"][name] = xml

    def definition(self, name: str) -> str:
        return str(self.state()["defined"][name])

    def live_definition(self, name: str) -> str | None:
        machine = self.state()["running"].get(name)
        return machine and str(machine["xml"])

    def undefine(self, name: str) -> None:
        with self.changing() as state:
            state["defined"].pop(name, None)

    def names(self) -> list[str]:
        return sorted(self.state()["defined"])

    def start(self, name: str) -> None:
        with self.changing() as state:
            if name in state["running"]:
                raise LabError(f"{name} is running already")
            xml = state["defined"][name]
            offset = 0.0
            if _attribute(xml, "clock", "offset") == "localtime":
                there = datetime.now(ZoneInfo(self.zone)).utcoffset()
                assert there is not None
                offset = there.total_seconds()
            state["processes"] += 1
            state["running"][name] = {
                "xml": xml,
                "offset": offset,
                "paused": False,
                "process": f"{self.name}-{state['processes']}",
            }

    def destroy(self, name: str) -> None:
        with self.changing() as state:
            state["running"].pop(name, None)

    def reset(self, name: str) -> None:
        assert self.running(name)

    def press_power_button(self, name: str) -> None:
        machine = self.state()["running"][name]
        if not read_setup(_disk(machine["xml"])).deaf:
            self.destroy(name)

    def wait_off(self, name: str, seconds: float) -> bool:
        return not self.running(name)

    def running(self, name: str) -> bool:
        return name in self.state()["running"]

    def pid(self, name: str) -> int | None:
        machine = self.state()["running"].get(name)
        return machine and int.from_bytes(machine["process"].encode(), "big")

    def rtc(self, name: str) -> datetime:
        offset = self.state()["running"][name]["offset"]
        return (self.now() + timedelta(seconds=offset)).replace(microsecond=0)

    def suspend(self, name: str) -> None:
        with self.changing() as state:
            state["running"][name]["paused"] = True

    def resume(self, name: str) -> None:
        with self.changing() as state:
            state["running"][name]["paused"] = False

    def save(self, name: str) -> None:
        raise NotImplementedError

    def restore(self, name: str) -> None:
        raise NotImplementedError

    def migrate(self, name: str, target: Hypervisor) -> None:
        assert isinstance(target, FakeHost)
        # As with real daemons, there is no moment in which neither has it.
        with self.changing() as here, target.changing() as there:
            there["running"][name] = {**here["running"].pop(name), "process": target.name}
            there["defined"][name] = here["defined"].pop(name)

    def shutdown(self) -> None:
        with self.changing() as state:
            state["running"] = {}


def _disk(xml: str) -> Path:
    return Path(_attribute(xml, "devices/disk/source", "file"))


class FakeConsole:
    """The serial port of a fake machine with a small guest."""

    def __init__(self, host: FakeHost, name: str) -> None:
        self._host = host
        self._name = name

    def wait_boot(self, timeout: float, *, again: bool = False) -> GuestState:
        return self.state()

    def state(self) -> GuestState:
        machine = self._host.state()["running"][self._name]
        setup = read_setup(_disk(machine["xml"]))
        rtc = self._host.rtc(self._name)
        bias = timedelta(minutes=setup.bias_minutes)
        local = setup.kind == "windows" and not setup.universal
        utc = rtc + bias if local else rtc
        return GuestState(rtc, utc, utc - bias, setup.bias_minutes)

    def set_local(self, local: datetime) -> GuestState:
        state = self.state()
        ahead = (local - state.local).total_seconds()
        with self._host.changing() as host:
            host["running"][self._name]["offset"] += ahead
        return self.state()

    def reset(self) -> None:
        self._host.reset(self._name)

    def close(self) -> None:
        pass


class FakeGear:
    """Opens fake hosts below a lab's folder; a machine's socket is named after it."""

    def __init__(self, lab: Path) -> None:
        self._lab = lab

    def open_host(
        self, folder: Path, name: str, zone: str, time_file: Path | None, prefer: Kind | None
    ) -> FakeHost:
        return FakeHost(folder, name, zone, time_file)

    def hosts(self) -> list[FakeHost]:
        folders = sorted((self._lab / "hosts").glob("*"))
        return [FakeHost(folder, folder.name, "UTC", self._lab / "time") for folder in folders]

    def end_everything(self, lab: Path) -> list[int]:
        for host in self.hosts():
            host.shutdown()
        return []

    def connect(self, socket: Path) -> FakeConsole:
        for host in self.hosts():
            if host.running(socket.stem):
                return FakeConsole(host, socket.stem)
        raise LabError(f"nobody listens on {socket}")

    def process(self, pid: int) -> str | None:
        return pid.to_bytes((pid.bit_length() + 7) // 8, "big").decode()


def mypy_knows_it_is_one(host: FakeHost) -> Hypervisor:
    return host
