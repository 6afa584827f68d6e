from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from guestclock.lab.errors import LabError
from guestclock.lab.hypervisor.folder import HostFolder
from guestclock.lab.hypervisor.namespace import prepare_etc, set_localtime
from guestclock.lab.hypervisor.processes import lives_in, living_in, recorded, wait_end
from guestclock.lab.hypervisor.sockets import publish, sibling
from guestclock.lab.hypervisor.zone import keep_zone, zone_file


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostFolder:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/tmp")
    host = HostFolder(tmp_path / "a", "a")
    host.make()
    return host


def test_settings_are_kept(host: HostFolder) -> None:
    assert host.settings() is None
    with pytest.raises(LabError, match="no host a"):
        host.known_settings()
    settings = host.new_settings("qemu", "UTC", "because")
    host.keep(settings)
    assert host.known_settings() == settings
    os.rmdir(settings.runtime)


def test_settings_that_are_damaged_say_so(host: HostFolder) -> None:
    (host.path / "host.json").write_text('{"kind":')
    with pytest.raises(LabError, match="cannot be read"):
        host.settings()


def test_a_folder_for_sockets_that_is_somebody_elses_is_not_taken(
    host: HostFolder, tmp_path: Path
) -> None:
    settings = host.new_settings("qemu", "UTC", None)
    assert (os.stat(settings.runtime).st_mode & 0o777, len(settings.runtime)) == (0o700, 18)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o777)
    open_to_all.chmod(0o777)
    moved = host.runtime(replace(settings, runtime=str(open_to_all)))
    assert str(moved) == settings.runtime
    assert host.known_settings().runtime == settings.runtime
    os.rmdir(settings.runtime)


@pytest.mark.parametrize("name", ["", "..", "a/b", "-a", "a" * 64, "a b"])
def test_what_cannot_be_a_hosts_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(LabError, match="cannot be a host's name"):
        HostFolder(tmp_path / "x", name).make()
    assert not (tmp_path / "x").exists()


def test_a_zone_is_kept_and_linked(host: HostFolder) -> None:
    settings = host.new_settings("qemu", "UTC", None)
    host.keep(settings)
    assert keep_zone(host, "Asia/Shanghai")
    assert not keep_zone(host, "Asia/Shanghai")
    assert (host.path / "etc" / "localtime").readlink() == zone_file("Asia/Shanghai")
    assert host.known_settings().zone == "Asia/Shanghai"
    os.rmdir(settings.runtime)


def test_an_etc_of_its_own_has_all_but_the_zone_and_what_is_libvirts(tmp_path: Path) -> None:
    etc, outside = tmp_path / "etc", tmp_path / "outside"
    set_localtime(etc, "Asia/Shanghai", zone_file("Asia/Shanghai"))
    for _ in range(2):
        prepare_etc(etc, outside, tmp_path)
    real = {entry.name for entry in Path("/etc").iterdir()}
    own = {entry.name for entry in etc.iterdir()}
    assert real - own <= {"libvirt"}
    assert "libvirt" not in own
    assert (etc / "localtime").readlink() == zone_file("Asia/Shanghai")
    assert (etc / "timezone").read_text() == "Asia/Shanghai\n"
    users = [line.split(":")[2] for line in (etc / "passwd").read_text().splitlines()]
    assert str(os.geteuid() or 1000) in users
    assert len(users) == len(Path("/etc/passwd").read_text().splitlines()) + (
        str(os.geteuid() or 1000) not in Path("/etc/passwd").read_text().replace(":", " ").split()
    )


def test_a_process_is_known_by_its_home(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path / "hosts" / "a")}
    cat = subprocess.Popen(["/bin/cat"], env=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert cat.stdin is not None
    assert cat.stdout is not None
    # Only what answers has surely got its environment.
    cat.stdin.write(b"up\n")
    cat.stdin.flush()
    assert cat.stdout.readline() == b"up\n"
    child = cat.pid
    try:
        assert lives_in(child, tmp_path / "hosts" / "a")
        assert not lives_in(child, tmp_path / "hosts" / "ab")
        assert list(living_in(tmp_path / "hosts")) == [child]
        (tmp_path / "pid").write_text(f"{child}\n")
        assert recorded(tmp_path / "pid", tmp_path) == child
        (tmp_path / "pid").write_text(f"{os.getpid()}\n")
        assert recorded(tmp_path / "pid", tmp_path) is None
        assert not wait_end(child, 0)
    finally:
        os.kill(child, 9)
        assert wait_end(child, 60)
        # Ended, though nobody has asked for its status yet.
        assert list(living_in(tmp_path)) == []
        cat.communicate()
    assert wait_end(child, 0)


def test_a_moved_socket_is_found_under_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Relative, as a socket's path may be no longer than 107 bytes.
    monkeypatch.chdir(tmp_path)
    plain, other = "s", sibling("s")
    assert sibling(other) == plain
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(other)
        listener.listen()
        for _ in range(2):
            publish(other, plain)
            Path(plain).unlink()
        publish(other, plain)
        publish(other, plain)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(plain)
    publish(None, plain)
    publish("absent", "s2")
    assert not Path("s2").exists()
