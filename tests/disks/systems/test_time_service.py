"""What keeps the time, and whether it steps the clock at boot."""

from __future__ import annotations

import pytest

from tests.disks.builders.linux import linux_files
from tests.disks.builders.tree import Files, Link
from tests.disks.systems.asking import system_of

WANTS = "etc/systemd/system/multi-user.target.wants"
TIMESYNCD = "usr/lib/systemd/systemd-timesyncd"


def details_of(more: Files, distribution: str = "debian") -> dict[str, object]:
    return system_of(linux_files(distribution=distribution, more=more)).details


def chrony(conf: str) -> dict[str, object]:
    return details_of(
        {
            "usr/sbin/chronyd": b"\x7fELF",
            f"{WANTS}/chrony.service": Link("/lib/systemd/system/chrony.service"),
            "etc/chrony/chrony.conf": conf.encode(),
        }
    )


def test_without_a_service_nothing_steps() -> None:
    details = details_of({})
    assert details["time_services"] == []
    assert details["steps_at_boot"] is False
    assert (details["agent"], details["cloud_init"]) == (False, None)


@pytest.mark.parametrize(
    ("conf", "steps", "rule"),
    [
        ("pool x iburst\nmakestep 1 3\n", True, "makestep 1 3"),
        ("initstepslew 10 a b\n", True, "initstepslew 10 a b"),
        ("# makestep 1 3\n! makestep\n", False, ""),
        ("", False, ""),
    ],
)
def test_chrony_steps_where_it_is_told_to(conf: str, steps: bool, rule: str) -> None:
    details = chrony(conf)
    assert details["time_services_enabled"] == ["chrony"]
    assert (details["steps_at_boot"], details["step_rule"]) == (steps, rule)


@pytest.mark.parametrize(("conf", "written"), [("rtcsync\n", True), ("rtcfile x\n", False)])
def test_chrony_has_the_rtc_written_where_it_is_told_to(conf: str, written: bool) -> None:
    assert chrony(conf)["rtc_written"] is written


def test_a_file_that_chrony_includes_counts() -> None:
    more: Files = {
        "usr/sbin/chronyd": b"",
        "etc/runlevels/default/chronyd": Link("/etc/init.d/chronyd"),
        "etc/chrony/conf.d/step.conf": b"makestep 1 -1\n",
    }
    assert details_of(more, "alpine")["steps_at_boot"] is True


def test_timesyncd_steps() -> None:
    wants = "etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service"
    details = details_of({TIMESYNCD: b"", wants: Link("/x")})
    assert details["time_services_enabled"] == ["systemd-timesyncd"]
    assert details["steps_at_boot"] is True


def test_a_masked_service_does_not_start() -> None:
    details = details_of(
        {
            TIMESYNCD: b"",
            "usr/lib/systemd/system/sysinit.target.wants/systemd-timesyncd.service": Link("../x"),
            "etc/systemd/system/systemd-timesyncd.service": Link("/dev/null"),
        }
    )
    assert details["time_services"] == ["systemd-timesyncd"]
    assert details["time_services_enabled"] == []
    assert details["steps_at_boot"] is None


@pytest.mark.parametrize(
    ("more", "steps"),
    [
        ({"etc/default/ntp": b"NTPD_OPTS='-g'\n"}, True),
        ({"etc/sysconfig/ntpd": b'OPTIONS="-u ntp:ntp -g"\n'}, True),
        ({"etc/ntp.conf": b"tinker panic 0\n"}, True),
        ({"etc/ntp.conf": b"tinker panic\n"}, None),
        ({}, None),
    ],
)
def test_ntpd_steps_far_only_where_it_may(more: Files, steps: bool | None) -> None:
    ntpd: Files = {"usr/sbin/ntpd": b"", "etc/rc2.d/S01ntp": Link("../init.d/ntp")}
    assert details_of({**ntpd, **more})["steps_at_boot"] is steps


def test_two_services_leave_it_open() -> None:
    more: Files = {
        "usr/sbin/chronyd": b"",
        TIMESYNCD: b"",
        f"{WANTS}/chrony.service": Link("/x"),
        f"{WANTS}/systemd-timesyncd.service": Link("/x"),
    }
    assert details_of(more)["steps_at_boot"] is None


def test_the_agent_is_seen() -> None:
    assert details_of({"usr/sbin/qemu-ga": b"\x7fELF"})["agent"] is True


def test_cloud_init_says_what_it_sets() -> None:
    more: Files = {
        "etc/cloud/cloud.cfg": b"users:\n - default\nntp:\n  enabled: true\n",
        "etc/cloud/cloud.cfg.d/99.cfg": b"timezone: 'Asia/Tokyo'\n",
    }
    assert details_of(more)["cloud_init"] == {"timezone": "Asia/Tokyo", "ntp": True}
