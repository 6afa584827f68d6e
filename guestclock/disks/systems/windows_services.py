"""Services of a Windows that have to do with its clock: the time service and QEMU's agent."""

from __future__ import annotations

from guestclock.disks.found import System
from guestclock.disks.registry.hive import Hive
from guestclock.disks.registry.keys import Key
from guestclock.disks.registry.values import Value
from guestclock.disks.systems.assignments import shown
from guestclock.disks.systems.windows_hives import Values

_AGENTS = ("QEMU-GA", "QEMU Guest Agent")
# SERVICE_BOOT_START to SERVICE_DISABLED.
_START = ("boot", "system", "automatic", "manual", "disabled")
_POLICY = "Policies\\Microsoft\\W32Time\\Parameters"
_MANY = 32


def time_policies(software: Hive | None, path: str) -> Values:
    """What group policies say to the time service. Raises DiskProblem."""
    return Values(software.key(_POLICY) if software else None, path, _POLICY)


def read_agent(control: Key, path: str, system: System) -> None:
    """The details `agent` (it is installed) and `agent_start`, as of w32time. Raises
    DiskProblem.
    """
    agent, start = False, None
    for name in _AGENTS:
        key = control.key(f"Services\\{name}")
        if key is not None:
            values = Values(key, path, f"{control.name}\\Services\\{name}")
            agent, start = True, _start(values)
            values.saw(system, "agent", "Start")
            break
    system.details["agent"], system.details["agent_start"] = agent, start


def read_time_service(control: Key, path: str, policies: Values, system: System) -> None:
    """The detail `w32time`, None where there is no such service. Raises DiskProblem.

    It has `start` (boot, system, automatic, manual, disabled), `type` (NTP, NT5DS, AllSync,
    NoSync), `peers`, `policy` (one of the two is a group policy's), `client` and `hyperv` (the
    providers NtpClient and VMICTimeProvider are on), `max_positive_correction` and
    `max_negative_correction` (seconds; 4294967295 is any), `secure_time` (it may set the clock by
    what TLS servers say).
    """
    key = control.key("Services\\W32Time")
    if key is None:
        system.details["w32time"] = None
        return
    where = f"{control.name}\\Services\\W32Time"
    service = Values(key, path, where)
    config = Values(key.key("Config"), path, f"{where}\\Config")
    told = Values(key.key("Parameters"), path, f"{where}\\Parameters")
    kind, peers = (
        policies if policies.get(name) is not None else told for name in ("Type", "NtpServer")
    )
    system.details["w32time"] = {
        "start": _start(service),
        "type": kind.text("Type") or None,
        "peers": _words(peers.get("NtpServer")),
        "policy": policies in (kind, peers),
        "client": _provider(key, "NtpClient"),
        "hyperv": _provider(key, "VMICTimeProvider"),
        "max_positive_correction": config.number("MaxPosPhaseCorrection"),
        "max_negative_correction": config.number("MaxNegPhaseCorrection"),
        "secure_time": _flag(config, "UtilizeSslTimeData"),
    }
    service.saw(system, "w32time", "Start")
    kind.saw(system, "w32time", "Type")
    peers.saw(system, "w32time", "NtpServer")


def _start(service: Values) -> str | None:
    number = service.number("Start")
    return _START[number] if number is not None and number < len(_START) else None


def _provider(service: Key, name: str) -> bool | None:
    return _flag(Values(service.key(f"TimeProviders\\{name}"), "", ""), "Enabled")


def _flag(values: Values, name: str) -> bool | None:
    number = values.number(name)
    return None if number is None else bool(number)


def _words(value: Value | None) -> list[str]:
    words = ((value.text() if value else None) or "").split()
    return [shown(word) for word in words[:_MANY]]
