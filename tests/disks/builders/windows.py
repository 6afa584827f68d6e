"""The files of a Windows that matter for its clock, with hives written here."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from tests.disks.builders.hive import (
    Value,
    binary,
    dword,
    make_hive,
    make_log,
    multi,
    sz,
    tree,
)

CONFIG = "Windows/System32/config"
CLOCK = "Control\\TimeZoneInformation"
CURRENT = "Microsoft\\Windows NT\\CurrentVersion"
CLOUDBASE = "Program Files/Cloudbase Solutions/Cloudbase-Init/conf/cloudbase-init.conf"
_FILLERS = 300

Keys = Mapping[str, Sequence[Value]]


def tzi(bias: int, summer: bool = False) -> bytes:
    """A rule of minutes, UTC minus local; with Europe's summer time or without."""
    standard, daylight = (0,) * 8, (0,) * 8
    if summer:
        standard, daylight = (0, 10, 0, 5, 3, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0)
    return struct.pack("<iii8H8H", bias, 0, -60 if summer else 0, *standard, *daylight)


def clock_values(
    *,
    zone: str | None = "China Standard Time",
    bias: int = -480,
    active_bias: int | None = -480,
    universal: Value | None = None,
    more: Sequence[Value] = (),
) -> list[Value]:
    """What Control\\TimeZoneInformation has; values in `more` replace those of their names."""
    summer = struct.pack("<8H", 0, 3, 5, 2, 0, 0, 0, 0)
    winter = struct.pack("<8H", 0, 10, 5, 3, 0, 0, 0, 0)
    values = [
        dword("Bias", bias),
        dword("StandardBias", 0),
        dword("DaylightBias", -60),
        sz("StandardName", "@tzres.dll,-572"),
        binary("StandardStart", winter),
        binary("DaylightStart", summer),
        dword("DynamicDaylightTimeDisabled", 0),
    ]
    if active_bias is not None:
        values.append(dword("ActiveTimeBias", active_bias))
    if zone is not None:
        # What stands after the NUL is left from a longer name before it.
        values.append(Value("TimeZoneKeyName", 1, zone.encode("utf-16-le") + b"\0\0X\0Y\0"))
    if universal is not None:
        values.append(universal)
    replaced = {one.name for one in more}
    return [one for one in values if one.name not in replaced] + list(more)


def system_hive(
    *,
    zone: str | None = "China Standard Time",
    bias: int = -480,
    active_bias: int | None = -480,
    universal: Value | None = None,
    clock: Sequence[Value] = (),
    current: int | None = 1,
    default: int | None = 1,
    fast_startup: bool = False,
    agent: bool = False,
    sealed: bool = False,
    more: Keys | None = None,
) -> bytes:
    """The hive SYSTEM; `current` is what Select\\Current says, None for no such value.

    `clock` are more values of TimeZoneInformation, `more` further keys of ControlSet001.
    """
    values = clock_values(
        zone=zone, bias=bias, active_bias=active_bias, universal=universal, more=clock
    )
    service = "Services\\W32Time"
    control: dict[str, Sequence[Value]] = {
        CLOCK: values,
        "Control\\Session Manager\\Power": [dword("HiberbootEnabled", int(fast_startup))],
        "Control\\Power": [dword("HibernateEnabled", int(fast_startup))],
        service: [dword("Start", 3)],
        f"{service}\\Config": [
            dword("MaxPosPhaseCorrection", 54_000),
            dword("MaxNegPhaseCorrection", 54_000),
            dword("UtilizeSslTimeData", 1),
        ],
        f"{service}\\Parameters": [
            sz("Type", "NTP"),
            sz("NtpServer", "time.windows.com,0x8"),
        ],
        f"{service}\\TimeProviders\\NtpClient": [dword("Enabled", 1)],
        f"{service}\\TimeProviders\\VMICTimeProvider": [dword("Enabled", 1)],
        **{f"Services\\Filler{number:03}": [dword("Start", 4)] for number in range(_FILLERS)},
    }
    if agent:
        control["Services\\QEMU-GA"] = [dword("Start", 2)]
    control |= more or {}
    other: Keys = {CLOCK: [dword("ActiveTimeBias", 0), dword("Bias", 0)]}
    select = {"Current": current, "Default": default, "LastKnownGood": default}
    setup = [dword("SystemSetupInProgress", int(sealed))]
    if sealed:
        setup.append(multi("CloneTag", ["Sat Dec 07 09:18:25 2024"]))
    keys: dict[str, Sequence[Value]] = {
        "Select": [dword(name, number) for name, number in select.items() if number is not None],
        "Setup": setup,
    }
    for name, paths in (("ControlSet001", control), ("ControlSet002", other)):
        keys.update({f"{name}\\{path}": values for path, values in paths.items()})
    return make_hive(tree(keys))


def software_hive(
    *,
    product: str = "Windows Server 2022 Standard",
    build: int = 20348,
    installation: str = "Server",
    zone: str | None = "China Standard Time",
    rule: bytes | None = None,
    years: Mapping[int, bytes] | None = None,
    sealed: bool = False,
    version: Sequence[Value] | None = None,
    more: Keys | None = None,
) -> bytes:
    """The hive SOFTWARE; `rule` is what it has for the zone, `years` its Dynamic DST.

    `version` replaces all values of CurrentVersion, `more` are further keys.
    """
    state = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE" if sealed else "IMAGE_STATE_COMPLETE"
    usual = [
        sz("ProductName", product),
        sz("CurrentBuild", str(build)),
        sz("CurrentBuildNumber", str(build)),
        sz("DisplayVersion", "21H2"),
        sz("ReleaseId", "2009"),
        sz("EditionID", "ServerStandard"),
        sz("InstallationType", installation),
        dword("UBR", 2700),
    ]
    keys: dict[str, Sequence[Value]] = {
        CURRENT: usual if version is None else version,
        "Microsoft\\Windows\\CurrentVersion\\Setup\\State": [sz("ImageState", state)],
    }
    if zone is not None:
        place = f"{CURRENT}\\Time Zones\\{zone}"
        keys[place] = [
            binary("TZI", rule or tzi(-480)),
            sz("MUI_Std", "@tzres.dll,-572"),
            sz("Std", zone),
        ]
        if years:
            ends = [dword("FirstEntry", min(years)), dword("LastEntry", max(years))]
            entries = [binary(str(year), one) for year, one in years.items()]
            keys[f"{place}\\Dynamic DST"] = [*ends, *entries]
    return make_hive(tree({**keys, **(more or {})}))


def windows_files(
    *,
    zone: str | None = "China Standard Time",
    bias: int = -480,
    active_bias: int | None = -480,
    universal: Value | None = None,
    clock: Sequence[Value] = (),
    current: int | None = 1,
    default: int | None = 1,
    product: str = "Windows Server 2022 Standard",
    build: int = 20348,
    installation: str = "Server",
    rule: bytes | None = None,
    years: Mapping[int, bytes] | None = None,
    sealed: bool = False,
    fast_startup: bool = False,
    agent: bool = False,
    logs: bool = False,
    cloudbase: str | None = None,
) -> dict[str, bytes]:
    """A Windows that takes its RTC for local time, unless `universal` is given.

    With `logs` what is said of the clock is only in SYSTEM.LOG1: the hive itself is left in the
    midst of a write and has Tokyo's time. `cloudbase` is cloudbase-init.conf.
    """
    system = system_hive(
        zone=zone,
        bias=bias,
        active_bias=active_bias,
        universal=universal,
        clock=clock,
        current=current,
        default=default,
        fast_startup=fast_startup,
        agent=agent,
        sealed=sealed,
    )
    software = software_hive(
        product=product,
        build=build,
        installation=installation,
        zone=zone,
        rule=rule,
        years=years,
        sealed=sealed,
    )
    files: dict[str, bytes] = {f"{CONFIG}/SYSTEM": system, f"{CONFIG}/SOFTWARE": software}
    if logs:
        before = system_hive(zone="Tokyo Standard Time", bias=-540, active_bias=-540)
        dirty, log = make_log(before, system)
        files |= {f"{CONFIG}/SYSTEM": dirty, f"{CONFIG}/SYSTEM.LOG1": log}
        files[f"{CONFIG}/SYSTEM.LOG2"] = b""
    files["Windows/win.ini"] = b"; for 16-bit app support\r\n"
    if fast_startup:
        files["hiberfil.sys"] = b"HIBR" + bytes(4092)
    if cloudbase is not None:
        files[CLOUDBASE] = cloudbase.encode()
    return files
