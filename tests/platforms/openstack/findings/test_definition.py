"""CLK607: what stands on the host against what Nova will write."""

from __future__ import annotations

import pytest

from guestclock.clock import Base, Clock, Localtime, Timer, Utc, Variable, Zone
from tests.platforms.openstack.findings.build import own, rules

SHANGHAI = Zone("Asia/Shanghai")


def test_a_hand_edit_over_a_wrong_os_type_stands_beside_its_error() -> None:
    found = own(None, stored=SHANGHAI)
    assert [(one.rule, one.severity.value) for one in found.findings] == [
        ("CLK601", "error"),
        ("CLK607", "warning"),
    ]
    assert found.replaced == {"CLK101", "CLK302", "CLK303"}
    edit = found.findings[1]
    assert "made by hand" in edit.observed
    assert "lost at the next hard reboot" in edit.observed
    assert "CLK601" in edit.cure


@pytest.mark.parametrize(
    ("column", "system", "host", "stored", "found"),
    [
        # The column was corrected, and no hard reboot has come since: a soft one is still wrong.
        ("windows", "windows", "Asia/Shanghai", Utc(), {"CLK607w"}),
        # Right by hand on a host of another zone; the general rule has the error.
        ("windows", "windows", "Europe/Berlin", SHANGHAI, {"CLK607w"}),
        # Nobody knows the guest, but both cannot be right.
        ("windows", "unknown", "Asia/Shanghai", Utc(), {"CLK607w"}),
        ("windows", "unknown", None, Utc(), {"CLK607n"}),
        # Both are right.
        (None, "linux", "Asia/Shanghai", Variable(0), {"CLK607n"}),
        ("windows", "windows", "Asia/Shanghai", SHANGHAI, {"CLK607n"}),
        # The same.
        ("windows", "windows", "Asia/Shanghai", Localtime(), set()),
        (None, "linux", "Asia/Shanghai", Utc(), set()),
    ],
)
def test_the_severity_hangs_on_whether_a_reboot_would_be_wrong(
    column: str | None, system: str, host: str | None, stored: Base, found: set[str]
) -> None:
    assert rules(column, system=system, host=host, stored=stored) == found


def test_it_replaces_what_the_host_alone_would_tell() -> None:
    assert own("windows", stored=Utc()).replaced == {"CLK302", "CLK303"}


def test_a_hard_reboot_is_the_cure_where_it_is_right() -> None:
    [finding] = own("windows", stored=Utc()).findings
    assert finding.cure.startswith("openstack server reboot --hard")


def test_other_timers_are_a_note_and_replace_nothing() -> None:
    found = own("windows", stored=Clock(Localtime(), (Timer("pit", tickpolicy="delay"),)))
    assert [(one.rule, one.severity.value) for one in found.findings] == [("CLK607", "note")]
    assert "pit" in found.findings[0].observed
    assert found.replaced == set()


def test_hpet_may_be_as_the_image_asked() -> None:
    stored = Clock(Localtime(), (Timer("hpet", present=True),))
    assert rules("windows", stored=stored) == set()
