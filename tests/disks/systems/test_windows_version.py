"""Which Windows it is, from Windows 2000 to those whose product name lags behind."""

from __future__ import annotations

import pytest

from tests.disks.builders.hive import Value, dword, sz
from tests.disks.builders.windows import CONFIG, software_hive, system_hive, windows_files
from tests.disks.systems.asking import gap_of
from tests.disks.systems.windows_asking import windows_of


@pytest.mark.parametrize(
    ("product", "build", "installation", "id"),
    [
        ("Windows Server 2025 Datacenter", 26100, "Server", "win2k25"),
        ("Windows Server 2022 Standard", 20348, "Server Core", "win2k22"),
        ("Windows Server Datacenter", 25398, "Server Core", "win2k22"),
        ("Windows Server 2019 Standard", 17763, "Server", "win2k19"),
        ("Windows Server 2016 Standard", 14393, "Nano Server", "win2k16"),
        ("Windows Server 2012 R2 Standard", 9600, "Server", "win2k12r2"),
        ("Windows Server 2012 Standard", 9200, "Server", "win2k12"),
        ("Windows Server 2008 R2 Standard", 7601, "Server", "win2k8r2"),
        ("Windows Server (R) 2008 Standard", 6003, "Server", "win2k8"),
        ("Azure Stack HCI", 20348, "Server Core", "win2k22"),
        ("Windows 10 Pro", 19045, "Client", "win10"),
        ("Windows 10 Pro", 22631, "Client", "win11"),
        ("Windows 10 Enterprise LTSC", 26100, "Client", "win11"),
        ("Windows 8.1 Pro", 9600, "Client", "win8.1"),
        ("Windows 7 Professional", 7601, "Client", "win7"),
    ],
)
def test_builds_have_names(product: str, build: int, installation: str, id: str) -> None:
    system = windows_of(windows_files(product=product, build=build, installation=installation))
    assert system.id == id
    assert system.details["installation"] == installation
    assert system.details["edition"] == "ServerStandard"


def test_windows_11_is_known_by_its_build() -> None:
    files = windows_files(product="Windows 10 Pro", build=22631, installation="Client")
    assert windows_of(files).name == "Windows 11 Pro"


@pytest.mark.parametrize(
    ("values", "name", "version", "id"),
    [
        (
            [
                sz("ProductName", "Microsoft Windows XP"),
                sz("CurrentBuild", "1.511.1 () (Obsolete data - do not use)"),
                sz("CurrentBuildNumber", "2600"),
                sz("CSDVersion", "Service Pack 3"),
            ],
            "Microsoft Windows XP",
            "Service Pack 3 (2600)",
            "winxp",
        ),
        (
            [
                sz("ProductName", "Microsoft Windows Server 2003 R2"),
                sz("CurrentBuildNumber", "3790"),
            ],
            "Microsoft Windows Server 2003 R2",
            "3790",
            "win2k3r2",
        ),
        (
            [
                sz("ProductName", "Windows 10 Pro"),
                sz("CurrentBuild", "18363"),
                sz("ReleaseId", "1909"),
                dword("UBR", 2274),
            ],
            "Windows 10 Pro",
            "1909 (18363.2274)",
            "win10",
        ),
    ],
)
def test_older_ones_say_it_otherwise(values: list[Value], name: str, version: str, id: str) -> None:
    files = {
        f"{CONFIG}/SYSTEM": system_hive(),
        f"{CONFIG}/SOFTWARE": software_hive(version=values),
    }
    system = windows_of(files)
    assert (system.name, system.version, system.id) == (name, version, id)


@pytest.mark.parametrize("build", ["", "٣٤٥", "99999999", "-1", "20348 "])
def test_what_is_no_build_is_none(build: str) -> None:
    values = [sz("ProductName", "Windows 10\x1b[0m"), sz("CurrentBuild", build)]
    files = {
        f"{CONFIG}/SYSTEM": system_hive(),
        f"{CONFIG}/SOFTWARE": software_hive(version=values),
    }
    system = windows_of(files)
    assert system.name == "Windows 10?[0m"
    if build.strip() == "20348":
        assert system.version == "20348"
    else:
        assert (system.version, system.id) == (None, "")
        assert gap_of(system, "version")[0] == "not-recorded"


def test_without_its_values_it_is_some_windows() -> None:
    files = {f"{CONFIG}/SYSTEM": system_hive(), f"{CONFIG}/SOFTWARE": software_hive(version=[])}
    system = windows_of(files)
    assert (system.name, system.version) == ("Windows", None)
    assert gap_of(system, "name")[0] == "not-recorded"
