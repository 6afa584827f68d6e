from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from guestclock.evidence import Assumed, Inferred, Unknown
from guestclock.law import Host
from guestclock.platforms.libvirt import host
from guestclock.platforms.libvirt.host import LocalHost, find_daemon, is_local
from guestclock.platforms.qemu.process import QemuProcess
from tests.platforms.qemu.test_process import process


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("qemu:///system", True),
        ("qemu:///session", True),
        ("qemu+unix:///session?socket=/run/x/libvirt-sock", True),
        ("qemu:///embed?root=/tmp/x", True),
        ("qemu+ssh://admin@node7/system", False),
        ("qemu+tls://node7/system", False),
        ("qemu://node7/system", False),
        ("qemu+tcp://localhost/system", False),
        ("test:///default", False),
        ("xen:///system", False),
        ("", False),
    ],
)
def test_only_what_ends_at_a_qemu_driver_on_this_host_is_local(uri: str, local: bool) -> None:
    assert is_local(uri) is local


def test_an_embedded_driver_is_this_process() -> None:
    assert find_daemon("qemu:///embed?root=/tmp/x") == QemuProcess(os.getpid())


def test_the_daemon_is_who_holds_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    path = tmp_path / "libvirt-sock"
    uri = f"qemu+unix:///session?socket={tmp_path}/link/libvirt-sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        assert find_daemon(uri) is None
        monkeypatch.setattr(host, "_DAEMONS", (Path("/proc/self/comm").read_text().strip(),))
        assert find_daemon(uri) == QemuProcess(os.getpid())
    assert find_daemon(uri) is None


def test_the_sockets_of_a_session_are_in_its_runtime_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "_DAEMONS", (Path("/proc/self/comm").read_text().strip(),))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "libvirt").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{tmp_path}/libvirt/virtqemud-sock")
        assert find_daemon("qemu:///session") == QemuProcess(os.getpid())
        assert find_daemon("qemu:///system") is None


class Seen(QemuProcess):
    """A daemon whose zones are given."""

    zone: str | None = "Asia/Tokyo"
    tz: str | None = None

    def localtime_zone(self) -> Inferred[str] | Unknown:
        return Inferred(self.zone, "there") if self.zone else Unknown("may not be read")

    def environment_zone(self) -> Inferred[str | None] | Unknown:
        return Inferred(self.tz, "environ") if self.tz != "?" else Unknown("may not be read")


def seen(monkeypatch: pytest.MonkeyPatch, zone: str | None, tz: str | None) -> Host:
    daemon = Seen(1)
    monkeypatch.setattr(Seen, "zone", zone)
    monkeypatch.setattr(Seen, "tz", tz)
    monkeypatch.setattr(host, "find_daemon", lambda uri: daemon)
    given = Host(Assumed("Europe/Berlin", "--host-zone"), "America/New_York")
    return LocalHost("qemu:///system").host(given)


def test_what_the_daemon_sees_beats_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(monkeypatch, "Asia/Tokyo", None)
    assert found == Host(Inferred("Asia/Tokyo", "there; QEMU will see the same"), None)
    assert seen(monkeypatch, "Asia/Tokyo", "UTC").daemon_zone == "UTC"


def test_what_was_given_counts_where_the_daemon_may_not_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = seen(monkeypatch, None, "?")
    assert found == Host(Assumed("Europe/Berlin", "--host-zone"), "America/New_York")


def test_without_a_daemon_in_sight_the_host_is_where_we_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(host, "find_daemon", lambda uri: None)
    monkeypatch.setattr(host, "zone_of_root", lambda root, whose: Inferred("Asia/Tokyo", whose))
    found = LocalHost("qemu:///system").host(Host())
    assert found.zone == Inferred("Asia/Tokyo", "this host; QEMU will see the same")


UUID = "00000000-0000-4000-8000-000000000001"


def test_a_machine_without_a_process_in_sight_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "qemu_processes", lambda: [])
    found = LocalHost("qemu:///system").process(UUID, "web")
    assert isinstance(found, Unknown)
    assert "no QEMU process with this machine's uuid" in found.reason


def test_of_two_processes_with_one_uuid_the_pid_file_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["qemu-system-x86_64", "-uuid", UUID]
    both = [process(tmp_path / "proc", pid, words, {}) for pid in (7, 8)]
    monkeypatch.setattr(host, "qemu_processes", lambda: both)
    here = LocalHost(f"qemu+unix:///session?socket={tmp_path}/libvirt-sock")
    assert isinstance(here.process(UUID, "web"), Unknown)
    (tmp_path / "qemu/run").mkdir(parents=True)
    (tmp_path / "qemu/run/web.pid").write_text("8\n")
    assert here.process(UUID, "web") == both[1]
