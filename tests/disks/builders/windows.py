"""The files of a Windows that matter for its clock, with hives written here."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.disks.builders.hive import Value, binary, dword, make_hive, sz, tree
from tests.disks.builders.tree import Files

CONFIG = "Windows/System32/config"
CURRENT = "Microsoft\\Windows NT\\CurrentVersion"
_FILLERS = 300


def tzi(bias: int, summer: bool = False) -> bytes:
    """A rule of minutes, UTC minus local; with Europe's summer time or without."""
    standard, daylight = (0,) * 8, (0,) * 8
    if summer:
        standard, daylight = (0, 10, 0, 5, 3, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)
    return struct.pack("<iii8H8H", bias, 0, -60 if summer else 0, *standard, *daylight)


def system_hive(
    *,
    zone: str | None = "China Standard Time",
    bias: int = -480,
    active_bias: int | None = -480,
    universal: Value | None = None,
    current: int | None = 1,
    fast_startup: bool = False,
    agent: bool = False,
) -> bytes:
    """The hive SYSTEM; `current` is what Select\\Current says, None for no such value."""
    clock = [dword("Bias", bias), dword("StandardBias", 0), dword("DaylightBias", -60)]
    if active_bias is not None:
        clock.append(dword("ActiveTimeBias", active_bias))
    if zone is not None:
        # What stands after the NUL is left from a longer name before it.
        clock.append(Value("TimeZoneKeyName", 1, zone.encode("utf-16-le") + b"\0\0X\0Y\0"))
    if universal is not None:
        clock.append(universal)
    control = {
        "Control\\TimeZoneInformation": clock,
        "Control\\Session Manager\\Power": [dword("HiberbootEnabled", int(fast_startup))],
        "Services\\W32Time": [dword("Start", 3)],
        "Services\\W32Time\\Parameters": [
            sz("Type", "NTP"),
            sz("NtpServer", "time.windows.com,0x8"),
        ],
        **{f"Services\\Filler{number:03}": [dword("Start", 4)] for number in range(_FILLERS)},
    }
    if agent:
        control["Services\\QEMU-GA"] = [dword("Start", 2)]
    other: dict[str, Sequence[Value]] = {
        "Control\\TimeZoneInformation": [dword("ActiveTimeBias", 0), dword("Bias", 0)]
    }
    keys: dict[str, Sequence[Value]] = {
        "Select": [] if current is None else [dword("Current", current), dword("Default", 1)]
    }
    for name, set in (("ControlSet001", control), ("ControlSet002", other)):
        keys.update({f"{name}\\{path}": values for path, values in set.items()})
    return make_hive(tree(keys))


def software_hive(
    *,
    product: str = "Windows Server 2022 Standard",
    build: int = 20348,
    zone: str | None = "China Standard Time",
    rule: bytes | None = None,
    sealed: bool = False,
) -> bytes:
    """The hive SOFTWARE; `rule` is what it has for the zone."""
    state = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE" if sealed else "IMAGE_STATE_COMPLETE"
    keys: dict[str, Sequence[Value]] = {
        CURRENT: [
            sz("ProductName", product),
            sz("CurrentBuild", str(build)),
            sz("DisplayVersion", "21H2"),
            sz("EditionID", "ServerStandard"),
            dword("UBR", 2700),
        ],
        "Microsoft\\Windows\\CurrentVersion\\Setup\\State": [sz("ImageState", state)],
    }
    if zone is not None:
        keys[f"{CURRENT}\\Time Zones\\{zone}"] = [binary("TZI", rule or tzi(-480))]
    return make_hive(tree(keys))


def windows_files(
    *,
    zone: str | None = "China Standard Time",
    bias: int = -480,
    active_bias: int | None = -480,
    universal: Value | None = None,
    current: int | None = 1,
    product: str = "Windows Server 2022 Standard",
    build: int = 20348,
    rule: bytes | None = None,
    sealed: bool = False,
    fast_startup: bool = False,
    agent: bool = False,
) -> Files:
    """A Windows that takes its RTC for local time, unless `universal` is given."""
    system = system_hive(
        zone=zone,
        bias=bias,
        active_bias=active_bias,
        universal=universal,
        current=current,
        fast_startup=fast_startup,
        agent=agent,
    )
    software = software_hive(product=product, build=build, zone=zone, rule=rule, sealed=sealed)
    files: dict[str, bytes] = {f"{CONFIG}/SYSTEM": system, f"{CONFIG}/SOFTWARE": software}
    files["Windows/win.ini"] = b"; for 16-bit app support\r\n"
    if fast_startup:
        files["hiberfil.sys"] = b"HIBR" + bytes(4092)
    return files
