"""Which folders are roots: subvolumes, deployments of ostree, NixOS before its first boot."""

from __future__ import annotations

import pytest

from tests.disks.builders.linux import linux_files
from tests.disks.builders.tree import Files, Link
from tests.disks.systems.asking import codes_of, system_of, systems_of


def under(folder: str, files: Files) -> dict[str, bytes | Link]:
    return {f"{folder}/{path}": content for path, content in files.items()}


@pytest.mark.parametrize("base", ["@", "@rootfs", "root", "@/.snapshots/1/snapshot"])
def test_a_subvolume_is_a_root(base: str) -> None:
    ((found, system),) = systems_of(under(base, linux_files(rtc="local")), "btrfs")
    assert (found, system.rtc, system.zone) == (base, "local", "Europe/Berlin")


def test_a_folder_of_that_name_is_none_elsewhere() -> None:
    assert systems_of(under("root", linux_files()), "ext4") == []


def test_subvolumes_beside_a_root_that_has_a_system_are_not_asked() -> None:
    files = {**linux_files(), **under("root", linux_files(rtc="local"))}
    assert [base for base, _ in systems_of(files, "btrfs")] == [""]


def test_the_first_snapshot_does_not_count_beside_the_subvolume() -> None:
    files = {**under("@", linux_files()), **under("@/.snapshots/1/snapshot", linux_files())}
    assert [base for base, _ in systems_of(files, "btrfs")] == ["@"]


DEPLOYMENT = "ostree/deploy/fedora/deploy/{}.0"


def test_a_deployment_is_the_root() -> None:
    base = DEPLOYMENT.format("ab" * 32)
    ((found, system),) = systems_of(under(base, linux_files(distribution="fedora")))
    assert (found, system.id) == (base, "fedora")
    assert codes_of(system) == set()


def test_a_deployment_in_a_subvolume_is_found() -> None:
    base = f"root/{DEPLOYMENT.format('ab')}"
    assert [one for one, _ in systems_of(under(base, linux_files()), "btrfs")] == [base]


def test_of_several_deployments_the_newest_boot_entry_decides() -> None:
    old, new = DEPLOYMENT.format("aa"), DEPLOYMENT.format("bb")
    entry = "title x\nversion {}\noptions root=UUID=1 ostree=/ostree/boot.1/fedora/{}/0 ro\n"
    files = {
        **under(old, linux_files(rtc="local")),
        **under(new, linux_files(rtc="utc")),
        "boot/loader/entries/ostree-1.conf": entry.format(1, "x").encode(),
        "boot/loader/entries/ostree-2.conf": entry.format(2, "y").encode(),
        "ostree/boot.1": Link("boot.1.0"),
        "ostree/boot.1.0/fedora/x/0": Link(f"../../../../{new}"),
        "ostree/boot.1.0/fedora/y/0": Link(f"../../../../{old}"),
    }
    ((base, system),) = systems_of(files)
    assert (base, system.rtc, codes_of(system)) == (old, "local", {"several-deployments"})
    del files["boot/loader/entries/ostree-1.conf"], files["boot/loader/entries/ostree-2.conf"]
    ((base, system),) = systems_of(files)
    assert base == new
    assert "not known" in system.remarks[0].text


def test_nixos_is_read_before_its_first_boot() -> None:
    files: dict[str, bytes | Link] = {
        "etc/NIXOS": b"",
        "nix/var/nix/profiles/system": Link("system-1-link"),
        "nix/var/nix/profiles/system-1-link": Link("/nix/store/abc-nixos"),
        "nix/store/abc-nixos/etc": Link("/nix/store/def-etc/etc"),
        "nix/store/def-etc/etc/os-release": b'ID=nixos\nVERSION_ID="24.05"\n',
        "nix/store/def-etc/etc/localtime": Link("/etc/zoneinfo/Asia/Tokyo"),
    }
    system = system_of(files)
    assert (system.id, system.version, system.zone) == ("nixos", "24.05", "Asia/Tokyo")
    del files["etc/NIXOS"]
    assert system_of(files).version == "24.05"
