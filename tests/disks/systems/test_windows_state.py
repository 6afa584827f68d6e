"""Services of a Windows, and the state that it was left in."""

from __future__ import annotations

import pytest

from tests.disks.builders.hive import dword, make_hive, multi, sz, tree
from tests.disks.builders.tree import Files
from tests.disks.builders.windows import (
    CLOUDBASE,
    CONFIG,
    software_hive,
    system_hive,
    windows_files,
)
from tests.disks.systems.asking import codes_of, gap_of, trace_of
from tests.disks.systems.windows_asking import windows_of

W32TIME = {
    "start": "manual",
    "type": "NTP",
    "peers": ["time.windows.com,0x8"],
    "policy": False,
    "client": True,
    "hyperv": True,
    "max_positive_correction": 54_000,
    "max_negative_correction": 54_000,
    "secure_time": True,
}
STATE = "Microsoft\\Windows\\CurrentVersion\\Setup\\State"


def _files(**state: str) -> Files:
    values = [sz(name, text) for name, text in state.items()]
    return {
        f"{CONFIG}/SYSTEM": system_hive(),
        f"{CONFIG}/SOFTWARE": software_hive(more={STATE: values}),
    }


def test_the_time_service_is_told() -> None:
    assert windows_of(windows_files()).details["w32time"] == W32TIME


def test_a_policy_overrules_the_time_service() -> None:
    policy = {"Policies\\Microsoft\\W32Time\\Parameters": [sz("NtpServer", "a,0x8 b,0x8")]}
    files = {
        f"{CONFIG}/SYSTEM": system_hive(),
        f"{CONFIG}/SOFTWARE": software_hive(more=policy),
    }
    told = {"peers": ["a,0x8", "b,0x8"], "policy": True}
    system = windows_of(files)
    assert system.details["w32time"] == {**W32TIME, **told}
    places = {one.trace.path.split("/")[-1] for one in system.seen if one.what == "w32time"}
    assert places == {"SYSTEM", "SOFTWARE"}


def test_peers_are_whole_however_many_there_are() -> None:
    peers = [f"{number}.a-rather-long-name.pool.ntp.example,0x8" for number in range(9)]
    more = {"Services\\W32Time\\Parameters": [sz("NtpServer", " ".join(peers))]}
    service = windows_of({f"{CONFIG}/SYSTEM": system_hive(more=more)}).details["w32time"]
    assert isinstance(service, dict)
    assert (service["peers"], service["type"]) == (peers, None)


def test_a_windows_may_have_no_time_service_and_no_agent() -> None:
    hive = make_hive(
        tree(
            {
                "Select": [dword("Current", 1)],
                "ControlSet001\\Control\\TimeZoneInformation": [dword("Bias", 0)],
            }
        )
    )
    details = windows_of({f"{CONFIG}/SYSTEM": hive}).details
    assert details["w32time"] is None
    assert (details["agent"], details["fast_startup"]) == (False, None)


def test_the_agent_is_told_with_its_start() -> None:
    system = windows_of(windows_files(agent=True))
    assert (system.details["agent"], system.details["agent_start"]) == (True, "automatic")
    assert trace_of(system, "agent").key == "ControlSet001\\Services\\QEMU-GA\\Start"


@pytest.mark.parametrize(
    ("state", "sealed"),
    [
        ("IMAGE_STATE_COMPLETE", False),
        ("IMAGE_STATE_UNDEPLOYABLE", False),
        ("IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE", True),
        ("IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT", True),
        ("IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE", True),
        ("", False),
    ],
)
def test_an_image_that_sysprep_left_is_sealed(state: str, sealed: bool) -> None:
    system = windows_of(_files(ImageState=state))
    assert system.details["sealed"] is sealed
    assert system.details["image_state"] == (state or None)


def test_sysprep_says_when_it_was() -> None:
    details = windows_of(windows_files(sealed=True)).details
    assert details["generalized"] == "Sat Dec 07 09:18:25 2024"
    assert (details["setup_in_progress"], details["unattend_zone"]) == (True, None)


def test_windows_xp_is_sealed_by_its_mini_setup() -> None:
    setup = [dword("SystemSetupInProgress", 1), sz("CmdLine", "setup -newsetup -mini")]
    hive = make_hive(tree({"Select": [dword("Current", 1)], "ControlSet001": [], "Setup": setup}))
    files = {f"{CONFIG}/SYSTEM": hive, f"{CONFIG}/SOFTWARE": make_hive(tree({"Microsoft": []}))}
    assert windows_of(files).details["sealed"] is True


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_an_answer_file_says_the_zone_that_a_sealed_image_gets(encoding: str) -> None:
    text = "<unattend><TimeZone> Tokyo Standard Time </TimeZone></unattend>"
    answer = {"Windows/Panther/unattend.xml": text.encode(encoding)}
    system = windows_of({**windows_files(sealed=True), **answer})
    assert system.details["unattend_zone"] == "Tokyo Standard Time"
    # Without a seal it has been used already.
    assert "unattend_zone" not in windows_of({**windows_files(), **answer}).details


@pytest.mark.parametrize(
    ("head", "hibernated", "remark"),
    [
        (b"HIBR", True, True),
        (b"hibr", True, True),
        (b"RSTR", None, True),
        (b"WAKE", False, False),
        (b"wake", False, False),
        (bytes(4), False, False),
        (b"", False, False),
    ],
)
def test_hibernation_is_told(head: bytes, hibernated: bool | None, remark: bool) -> None:
    system = windows_of({**windows_files(), "hiberfil.sys": head + bytes(60 * bool(head))})
    assert system.details["hibernated"] is hibernated
    assert ("hibernated" in codes_of(system)) is remark


def test_a_hibernation_file_of_another_kind_is_ambiguous() -> None:
    system = windows_of({**windows_files(), "hiberfil.sys": b"link" + bytes(60)})
    assert system.details["hibernated"] is None
    assert gap_of(system, "hibernated")[0] == "ambiguous"


@pytest.mark.parametrize(
    ("hiberboot", "enabled", "fast"), [(1, 1, True), (1, 0, False), (0, 1, False), (1, None, True)]
)
def test_fast_startup_needs_hibernation(hiberboot: int, enabled: int | None, fast: bool) -> None:
    power = [] if enabled is None else [dword("HibernateEnabled", enabled)]
    more = {
        "Control\\Session Manager\\Power": [dword("HiberbootEnabled", hiberboot)],
        "Control\\Power": power,
    }
    system = windows_of({f"{CONFIG}/SYSTEM": system_hive(more=more)})
    assert system.details["fast_startup"] is fast


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[DEFAULT]\r\nusername=Admin\r\n", False),
        ("[DEFAULT]\r\nreal_time_clock_utc = True\r\n", True),
        ("\ufeff[DEFAULT]\nreal_time_clock_utc=yes\n", True),
        ("[DEFAULT]\n#real_time_clock_utc=true\n", False),
        ("[DEFAULT]\n[other]\nreal_time_clock_utc=true\n", False),
        ("[DEFAULT]\nreal_time_clock_utc=1\nplugins=a.b,c.ntpclient.NTPClientPlugin\n", True),
        ("[DEFAULT]\nreal_time_clock_utc=1\nplugins=a.b,\n  c.ntpclient.NTPClientPlugin\n", True),
        ("[DEFAULT]\nreal_time_clock_utc=1\nplugins=a.b\n", None),
    ],
)
def test_cloudbase_init_may_set_the_value_at_boot(text: str, wanted: bool | None) -> None:
    system = windows_of(windows_files(cloudbase=text))
    assert system.details["cloudbase_init"] is True
    assert system.details["real_time_clock_utc"] is wanted
    assert ("cloudbase-changes-rtc" in codes_of(system)) is (wanted is True)


def test_cloudbase_init_takes_the_value_away_by_default() -> None:
    universal = dword("RealTimeIsUniversal", 1)
    files = windows_files(universal=universal, cloudbase="[DEFAULT]\n")
    assert "cloudbase-changes-rtc" in codes_of(windows_of(files))


def test_a_word_that_is_no_boolean_is_ambiguous() -> None:
    system = windows_of(windows_files(cloudbase="[DEFAULT]\nreal_time_clock_utc=maybe\n"))
    assert gap_of(system, "real_time_clock_utc")[0] == "ambiguous"


def test_without_cloudbase_init_nothing_is_set() -> None:
    details = windows_of(windows_files()).details
    assert (details["cloudbase_init"], details["real_time_clock_utc"]) == (False, None)
    files = {**windows_files(), CLOUDBASE.replace("Files", "Files (x86)"): b""}
    assert windows_of(files).details["real_time_clock_utc"] is False


def test_a_tag_of_another_type_is_none() -> None:
    setup = [multi("CloneTag", [])]
    hive = make_hive(tree({"Select": [dword("Current", 1)], "ControlSet001": [], "Setup": setup}))
    files = {f"{CONFIG}/SYSTEM": hive, f"{CONFIG}/SOFTWARE": software_hive()}
    assert windows_of(files).details["generalized"] is None
