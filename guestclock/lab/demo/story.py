"""The play itself: what is done to each server, and what is read and foretold after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from guestclock.databases import zones_at_hand
from guestclock.evidence import value_of
from guestclock.explanation import Explanation, Told, explain
from guestclock.lab import faketime
from guestclock.lab.cloud import Lab, Trace
from guestclock.lab.cloud.explained import machine_of, upstream
from guestclock.lab.demo.cast import CAST, ZONE, Actor

TOLERANCE = 5
"""An error below so many seconds is none: an RTC has whole seconds."""

_BEGIN = datetime(2026, 6, 22, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stage:
    """One act: what happens, why it matters, and how many minutes pass before it.

    `cold` says that it gives each server a new QEMU process from an unchanged server record, so
    that what was foretold before can be held against what is read after.
    """

    title: str
    note: str
    minutes: int
    cold: bool = False


STAGES = (
    Stage("created", "The server takes os_type from its image, now and not again.", 0),
    Stage("set by its user", "The guest writes its RTC.", 10),
    Stage("guest reboot", "A reset: the same QEMU process, the same RTC.", 50),
    Stage("soft reboot", "A new QEMU process: what the guest wrote is gone.", 60, cold=True),
    Stage("hard reboot", "The definition is written anew, from the same os_type.", 60, cold=True),
    Stage("image corrected", "Nobody reads it: the server keeps its own os_type.", 30),
    Stage("hard reboot again", "Still from the server's own os_type.", 30, cold=True),
    Stage("cured", "A rebuild, RealTimeIsUniversal, or a new server.", 60),
    Stage("soft reboot, cured", "It holds over a new process,", 60, cold=True),
    Stage("hard reboot, cured", "and over a new definition.", 60, cold=True),
)


@dataclass(frozen=True, slots=True)
class Shot:
    """One server after one stage.

    `action` is what was done to it. `foretold` is the error in seconds that was expected of this
    cold start before it, None where none was or the stage is no cold start.
    """

    stage: Stage
    actor: Actor
    action: str
    trace: Trace
    explanation: Explanation
    foretold: int | None

    @property
    def error(self) -> int:
        """Seconds that the running guest's idea of UTC is ahead, as read from it."""
        error = self.trace.clock.error
        assert error is not None, "every guest of the play runs when it is read"
        return error

    @property
    def right(self) -> bool:
        """Whether the guest is right."""
        return abs(self.error) < TOLERANCE

    @property
    def came_true(self) -> bool | None:
        """Whether the cold start came out as foretold; None where nothing was."""
        return None if self.foretold is None else abs(self.error - self.foretold) < TOLERANCE


def play(lab: Lab) -> Iterator[list[Shot]]:
    """Play it in an empty lab; one list of shots a stage, in the order of the cast."""
    _prepare(lab)
    servers = {actor.name: actor.name for actor in CAST}
    last: dict[str, Shot] = {}
    for stage, act in zip(STAGES, _ACTS, strict=True):
        if faketime.library() is not None:
            lab.time.step(60 * stage.minutes)
        shots = []
        for actor in CAST:
            action = act(lab, actor, servers)
            shots.append(_shoot(lab, stage, actor, action, servers, last.get(actor.name)))
        last = {shot.actor.name: shot for shot in shots}
        yield shots


def verdict(trace: Trace) -> Explanation:
    """What `guestclock explain` says of a server."""
    zones = zones_at_hand()
    machine = machine_of(trace)
    told = Told(upstream(trace, machine, zones))
    return explain(machine, trace.clock.true_utc, zones, told, TOLERANCE)


def _shoot(
    lab: Lab, stage: Stage, actor: Actor, action: str, servers: dict[str, str], last: Shot | None
) -> Shot:
    trace = lab.trace(servers[actor.name])
    foretold = None
    if stage.cold and last is not None:
        foretold = value_of(last.explanation.seen.after_cold_start)
    return Shot(stage, actor, action, trace, verdict(trace), foretold)


def _prepare(lab: Lab) -> None:
    if faketime.library() is not None:
        lab.time.set(_BEGIN)
    lab.hosts.set_zone("host1", ZONE)
    for actor in CAST:
        setup = lab.images.guest_setup(actor.kind, ZONE)
        properties = {} if actor.os_type is None else {"os_type": actor.os_type}
        lab.images.create_guest(actor.image, setup, ZONE, properties)


def _create(lab: Lab, actor: Actor, servers: dict[str, str]) -> str:
    lab.servers.create(actor.name, actor.image)
    return f"created from an image with {actor.property}"


def _set_right(lab: Lab, actor: Actor, servers: dict[str, str]) -> str:
    reading = lab.clock(actor.name)
    assert reading.error is not None
    assert reading.true_local is not None
    if abs(reading.error) < TOLERANCE:
        return "nothing to set"
    lab.servers.set_time(actor.name, reading.true_local)
    return f"set to {reading.true_local:%H:%M}"


def _guest_reboot(lab: Lab, actor: Actor, servers: dict[str, str]) -> str:
    lab.servers.guest_reboot(actor.name)
    return "rebooted from inside"


def _soft_reboot(lab: Lab, actor: Actor, servers: dict[str, str]) -> str:
    lab.servers.reboot(servers[actor.name])
    return "soft reboot"


def _hard_reboot(lab: Lab, actor: Actor, servers: dict[str, str]) -> str:
    lab.servers.reboot(servers[actor.name], hard=True)
    return "hard reboot"


def _correct_image(lab: Lab, actor: Actor, servers: dict[str, str]) -> str:
    if actor.right_os_type == actor.os_type or actor.right_os_type is None:
        return "its image needs nothing"
    lab.images.set(actor.image, {"os_type": actor.right_os_type})
    return f"os_type={actor.right_os_type} on its image"


def _cure(lab: Lab, actor: Actor, servers: dict[str, str]) -> str:
    match actor.cure:
        case None:
            return "needs no cure"
        case "rebuild":
            lab.servers.rebuild(actor.name)
            return "rebuilt from the corrected image"
        case "registry":
            lab.servers.stop(actor.name)
            lab.servers.set_universal(actor.name, True)
            lab.servers.start(actor.name)
            return "RealTimeIsUniversal set in its registry"
        case "new server":
            lab.servers.delete(actor.name)
            servers[actor.name] = f"{actor.name}-new"
            lab.servers.create(servers[actor.name], actor.image)
            return "a new server from the corrected image"


_ACTS: tuple[Callable[[Lab, Actor, dict[str, str]], str], ...] = (
    _create,
    _set_right,
    _guest_reboot,
    _soft_reboot,
    _hard_reboot,
    _correct_image,
    _hard_reboot,
    _cure,
    _soft_reboot,
    _hard_reboot,
)
