"""The life-cycle cases: how a server is made, what is done to it, and what its clock does then.

`rtc` is what is known of Nova 26 to 34, from its source and from measurements: how far the RTC is
ahead of UTC after an operation on a host in Asia/Shanghai, in seconds. So a test says both
whether guestclock foretold it and whether Nova still does it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.real.openstack import operations as do
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.operations import Operation

UTC = 0
LOCAL = 8 * 3600


@dataclass(frozen=True)
class Step:
    """An operation, what of an explanation foretells its outcome, and the RTC after it.

    `foretold` is a key of `error_seconds`, or the name of an operation in `life`. Of one that is
    `untold` nobody outside of the compute host can know the outcome.
    """

    operation: Operation
    foretold: str
    rtc: int
    untold: bool = False


@dataclass(frozen=True)
class Case:
    """A server of a public `image`, or of one of its own, or a server of its snapshot.

    `own` is the os_type of the image of its own, "" for none. `prepare` is done to the server in
    turn, and with `snapshot` another server is made of its snapshot, which is the one to look at.
    """

    name: str
    rtc: int
    steps: tuple[Step, ...]
    image: str | None = None
    own: str = ""
    prepare: tuple[Operation, ...] = ()
    snapshot: bool = False
    guest: str = "windows"

    def made(self, cloud: Cloud) -> str:
        """The id of the server, prepared."""
        image = cloud.public_images[self.image] if self.image else self._own_image(cloud)
        server = cloud.create(self.name, image)
        for operation in self.prepare:
            operation(cloud, server)
        if not self.snapshot:
            return server
        return cloud.create(f"{self.name}-2", cloud.snapshot(server, self.name))

    def _own_image(self, cloud: Cloud) -> str:
        return cloud.image(self.name, {"os_type": self.own} if self.own else {})


def soft(rtc: int) -> Step:
    return Step(do.soft_reboot, "after_soft_reboot", rtc)


def hard(rtc: int) -> Step:
    return Step(do.hard_reboot, "after_hard_reboot", rtc)


def stopped(rtc: int) -> Step:
    return Step(do.stop_start, "after_stop_start", rtc)


def rebuilt(rtc: int) -> Step:
    return Step(do.rebuild, "after_rebuild", rtc)


def reset(rtc: int) -> Step:
    return Step(do.reset, "after_reset", rtc)


def paused(rtc: int) -> Step:
    return Step(do.pause_unpause, "now", rtc)


def suspended(rtc: int) -> Step:
    return Step(do.suspend_resume, "suspend/resume", rtc)


def unshelved(rtc: int) -> Step:
    return Step(do.shelve_unshelve, "unshelve", rtc)


def rescued(image: str, rtc: int) -> Step:
    return Step(do.rescue_with(image), "rescue", rtc)


CORRECTED = (do.column("windows"),)
NOVA_MANAGE = (do.nova_manage("windows"),)
SET_BY_USER = (do.write_rtc(LOCAL),)
LOCALTIME = "<clock offset='localtime'/>"
TOKYO = "<clock offset='timezone' timezone='Asia/Tokyo'/>"

CASES = (
    Case("made without os_type", UTC, (soft(UTC), hard(UTC), stopped(UTC)), "plain"),
    Case("made with os_type", LOCAL, (soft(LOCAL), hard(LOCAL), stopped(LOCAL)), "windows"),
    Case("made with it in upper case", UTC, (hard(UTC), stopped(UTC)), "Windows-wrong-case"),
    Case(
        "image corrected afterwards, then rebuilt",
        UTC,
        (soft(UTC), hard(UTC), rebuilt(LOCAL), hard(LOCAL)),
        prepare=(do.property_of_image("windows"),),
    ),
    Case("nova-manage", UTC, (stopped(UTC), hard(UTC)), "plain", prepare=NOVA_MANAGE),
    Case(
        "made of a snapshot after nova-manage",
        LOCAL,
        (hard(LOCAL),),
        "plain",
        prepare=NOVA_MANAGE,
        snapshot=True,
    ),
    Case("made of a plain server's snapshot", UTC, (hard(UTC),), "plain", snapshot=True),
    Case("made of a right server's snapshot", LOCAL, (hard(LOCAL),), "windows", snapshot=True),
    Case(
        "made of an upper-case server's snapshot",
        UTC,
        (hard(UTC),),
        "Windows-wrong-case",
        snapshot=True,
    ),
    Case("column corrected", UTC, (soft(UTC), hard(LOCAL)), "plain", prepare=CORRECTED),
    Case("column corrected, then stopped", UTC, (stopped(LOCAL),), "plain", prepare=CORRECTED),
    Case(
        "column corrected in upper case",
        UTC,
        (hard(UTC),),
        "plain",
        prepare=(do.column("Windows"),),
    ),
    Case(
        "column corrected, then rebuilt from the image as it was",
        UTC,
        (hard(LOCAL), rebuilt(UTC)),
        "plain",
        prepare=CORRECTED,
    ),
    Case(
        "column corrected, then what keeps QEMU",
        UTC,
        (reset(UTC), paused(UTC), suspended(UTC)),
        "plain",
        prepare=CORRECTED,
    ),
    Case("column corrected, then shelved", UTC, (unshelved(LOCAL),), "plain", prepare=CORRECTED),
    Case(
        "column corrected, then rescued",
        UTC,
        (rescued("plain", LOCAL), Step(do.unrescue, "unrescue", UTC, untold=True), hard(LOCAL)),
        "plain",
        prepare=CORRECTED,
    ),
    Case("rescued with another system", LOCAL, (rescued("plain", LOCAL),), "windows"),
    Case(
        "defined by hand",
        UTC,
        (reset(UTC), soft(LOCAL), hard(UTC)),
        "plain",
        prepare=(do.virsh_define(LOCALTIME),),
    ),
    Case(
        "defined by hand in another zone",
        LOCAL,
        (soft(9 * 3600), stopped(LOCAL)),
        "windows",
        prepare=(do.virsh_define(TOKYO),),
    ),
    Case(
        "set by its user",
        LOCAL,
        (reset(LOCAL), soft(UTC)),
        "plain",
        prepare=SET_BY_USER,
    ),
    Case(
        "set by its user, then suspended", LOCAL, (suspended(LOCAL),), "plain", prepare=SET_BY_USER
    ),
    Case("a Linux", UTC, (soft(UTC), hard(UTC)), "plain", guest="linux"),
    Case("a Linux made as Windows", LOCAL, (soft(LOCAL), hard(LOCAL)), "windows", guest="linux"),
)
