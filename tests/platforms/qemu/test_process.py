from __future__ import annotations

import os
from pathlib import Path

from guestclock.evidence import Observed, Unknown
from guestclock.platforms.qemu.process import QemuProcess, qemu_processes


def process(proc: Path, pid: int, words: list[str], environment: dict[str, str]) -> QemuProcess:
    folder = proc / str(pid)
    (folder / "root").mkdir(parents=True)
    (folder / "cmdline").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in words))
    entries = (f"{name}={value}\0" for name, value in environment.items())
    (folder / "environ").write_text("".join(entries))
    return QemuProcess(pid, str(proc))


def test_the_words_and_the_tz_of_a_process(tmp_path: Path) -> None:
    words = ["qemu-system-x86_64", "-name", "a b", "-rtc", "base=localtime"]
    one = process(tmp_path, 7, words, {"PATH": "/bin", "XTZ": "no", "TZ": "Asia/Tokyo"})
    assert one.words() == Observed(tuple(words), "/proc/7/cmdline")
    assert one.environment_zone() == Observed("Asia/Tokyo", "/proc/7/environ")


def test_a_process_without_tz_has_none_and_one_with_an_empty_tz_has_that(tmp_path: Path) -> None:
    assert process(tmp_path, 1, ["qemu-kvm"], {}).environment_zone() == Observed(
        None, "/proc/1/environ"
    )
    assert process(tmp_path, 2, ["qemu-kvm"], {"TZ": ""}).environment_zone() == Observed(
        "", "/proc/2/environ"
    )


def test_the_localtime_is_that_of_its_own_root(tmp_path: Path) -> None:
    one = process(tmp_path, 7, ["qemu-kvm"], {})
    root = tmp_path / "7/root"
    (root / "etc").mkdir()
    (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Mars/Base")
    found = one.localtime_zone()
    assert isinstance(found, Observed)
    assert (found.value, "process 7" in found.where) == ("UTC", True)


def test_a_process_that_is_gone_is_unknown(tmp_path: Path) -> None:
    gone = QemuProcess(7, str(tmp_path))
    assert gone.words() == Unknown("there is no process 7")
    assert isinstance(gone.environment_zone(), Unknown)
    assert isinstance(gone.localtime_zone(), Unknown)


def test_a_process_that_has_ended_and_was_not_fetched_has_no_command_line(tmp_path: Path) -> None:
    words = process(tmp_path, 7, [], {}).words()
    assert words == Unknown("process 7 has no command line: it has ended")


def test_what_may_not_be_read_says_who_may(tmp_path: Path) -> None:
    (tmp_path / "7/environ").mkdir(parents=True)
    found = QemuProcess(7, str(tmp_path)).environment_zone()
    assert found == Unknown(
        "/proc/7/environ cannot be read: Is a directory", "run as root on the host"
    )


def test_qemus_are_found_by_their_program_in_the_order_of_their_pids(tmp_path: Path) -> None:
    process(tmp_path, 10, ["/usr/bin/qemu-system-aarch64"], {})
    process(tmp_path, 9, ["/usr/libexec/qemu-kvm"], {})
    process(tmp_path, 8, ["vim", "qemu-system-x86_64"], {})
    process(tmp_path, 7, [], {})
    (tmp_path / "self").mkdir()
    assert [one.pid for one in qemu_processes(str(tmp_path))] == [9, 10]
