from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from guestclock.lab.cloud import Lab
from guestclock.lab.cloud.problems import BadValue


@pytest.mark.parametrize(
    ("leave", "silence"),
    [
        (lambda lab: lab.servers.pause("desk7"), "is paused: its guest does not run"),
        (lambda lab: lab.servers.stop("desk7"), "is stopped: its RTC and its guest do not run"),
    ],
)
def test_a_clock_without_a_guest_says_why(
    lab: Lab, leave: Callable[[Lab], object], silence: str
) -> None:
    lab.servers.create("desk7", "win")
    assert lab.clock("desk7").silence is None
    leave(lab)
    reading = lab.clock("desk7")
    assert (reading.guest, reading.silence) == (None, f"server desk7 {silence}")


@pytest.mark.parametrize(
    "attempt",
    [
        lambda lab: lab.hosts.create("host2", "Asia/Shangai"),
        lambda lab: lab.hosts.create("../host2"),
        lambda lab: lab.images.guest_setup("utc", "Mars/Base"),
        lambda lab: lab.images.guest_setup("utc", universal=True),
        lambda lab: lab.images.create_guest(" win", lab.images.guest_setup("utc")),
        lambda lab: lab.servers.create("", "win"),
        lambda lab: lab.servers.set_time("desk7", datetime(9999, 1, 1)),
        lambda lab: lab.time.set(datetime(2400, 1, 1, tzinfo=UTC)),
        lambda lab: lab.servers.create("desk7", "bsd"),
    ],
)
def test_a_value_no_lab_would_take_is_a_matter_of_usage(
    lab: Lab, attempt: Callable[[Lab], object]
) -> None:
    lab.images.create_guest("bsd", lab.images.guest_setup("utc"), None, {"os_type": "bsd"})
    with pytest.raises(BadValue) as refused:
        attempt(lab)
    assert refused.value.exit_code == 2


def test_the_hint_about_a_bad_os_type_names_the_image(lab: Lab) -> None:
    lab.images.set("win", {"os_type": "bsd"})
    with pytest.raises(BadValue) as refused:
        lab.servers.create("desk7", "win")
    assert refused.value.hint == "`guestclock lab image set --property os_type=windows win`"
