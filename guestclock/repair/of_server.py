"""The steps for servers of Nova, their request specs, and the images that they were made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from guestclock.evidence import Unknown, value_of
from guestclock.guest import system_of
from guestclock.machine import Facts, Identity
from guestclock.platforms.lever import Refused, Target
from guestclock.platforms.openstack import image_lever, lever, spec_lever
from guestclock.platforms.openstack.database.change import STATES, OsTypes
from guestclock.platforms.openstack.os_type_value import value_of_os_type
from guestclock.platforms.openstack.records import Cloud, Image, OsType, Server
from guestclock.platforms.openstack.rule import nova_clock
from guestclock.repair.handed import REBUILD, handed_over
from guestclock.repair.plan import Open, Step
from guestclock.repair.trial import Trials

_WINDOWS = "windows"
_MOST_NAMES = 5


@dataclass
class _Users:
    """The servers of one image, by what they want of it."""

    image: Image
    wants: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    foreign: bool = False
    """Whether servers of other projects than the image's own are made of it."""
    rules: set[str] = field(default_factory=set)


class Servers:
    """Takes the servers of a cloud as they pass by; what their images need is known in the end."""

    def __init__(self, trials: Trials, cloud: str | None, shared: bool) -> None:
        """`cloud` is the name by which images are changed; `shared` allows those of many."""
        self._trials = trials
        self._cloud = cloud
        self._shared = shared
        self._users: dict[str, _Users] = {}
        self._steps: list[tuple[Step, str]] = []

    def note(self, facts: Facts, server: Server, cloud: Cloud, rules: tuple[str, ...]) -> None:
        """Counts what a server wants of its image; `rules` are what it breaks."""
        image = cloud.images.get(server.image)
        if image is None:
            return
        users = self._users.setdefault(image.id, _Users(image))
        users.foreign = users.foreign or image.owner != server.project
        users.rules.update(rules)
        word = wanted_word(facts)
        if word is None:
            users.unknown.append(server.name or server.id)
        else:
            users.wants[word] = users.wants.get(word, 0) + 1

    def plan(
        self, identity: Identity, facts: Facts, server: Server, rules: tuple[str, ...]
    ) -> str | None:
        """Plans the change of a server; else says why there is none."""
        word = wanted_word(facts)
        if isinstance(server.column, Unknown) or isinstance(facts.definition, Unknown):
            return "what Nova has of it is not known"
        if word is None:
            return "name its system with --guests"
        if server.vm_state and server.vm_state not in STATES:
            return f"it is {server.vm_state}: bring it back to {', '.join(STATES)} first"
        trial = self._trials(facts, nova_clock(word, facts.hardware.virt or "qemu").base)
        if not trial.holds:
            return f"os_type={word} would not set it right"
        step = Step(
            "",
            lever.NAME,
            Target(identity.id, identity.name, identity.source),
            str(OsTypes(server.column.value, value_of(server.metadata))),
            str(OsTypes(word, word)),
            rules,
            f"{lever.ABOUT.downtime}; Hyper-V features and the admin's name follow os_type; "
            f"{trial.why}",
            (*handed_over(facts.guest), *((REBUILD,) if server.image else ())),
        )
        self._steps.append((step, server.image))
        return None

    @property
    def ids(self) -> list[str]:
        """The servers that are planned for."""
        return [step.target.id for step, _ in self._steps]

    def steps(self, specs: dict[str, OsType], source: str) -> Iterator[Step | Open]:
        """Images first, so that no rebuild undoes what follows; then each server and its spec.

        `specs` are the os_types in the request specs that were read from `source`.
        """
        lasting: set[str] = set()
        for image in {image: None for _, image in self._steps if image in self._users}:
            users = self._users[image]
            found = self._of_image(users)
            if found is None or isinstance(found, Step):
                lasting.add(image)
            if found is not None:
                yield found
        for step, image in self._steps:
            yield step if not image or image in lasting else _undone_by_rebuild(step)
            wanted = "os_type=" + str(step.new).rpartition("=")[2]
            yield from _of_spec(step, specs.get(step.target.id), wanted, source)

    def _of_image(self, users: _Users) -> Step | Open | None:
        """The step of an image, why there is none, or None where it is right already."""
        image = users.image
        rules = tuple(sorted(users.rules))
        word = max(users.wants, key=lambda one: users.wants[one])
        if len(users.wants) == 1 and (image.os_type == _WINDOWS) == (word == _WINDOWS):
            return None
        what = self._obstacle(users)
        if what:
            return Open(image.name or image.id, image.source, rules, what)
        assert self._cloud is not None
        try:
            old = value_of_os_type(image.os_type)
        except Refused as problem:
            return Open(image.name or image.id, image.source, rules, problem.message)
        target = Target(image.id, image.name or image.id, self._cloud)
        count = users.wants[word]
        why = (
            f"no downtime; {count} server{'' if count == 1 else 's'} of it want os_type={word}; "
            "servers to come and rebuilds get it"
        )
        return Step("", image_lever.NAME, target, old, f"os_type={word}", rules, why)

    def _obstacle(self, users: _Users) -> str:
        """Why an image is left as it is, empty where it may be corrected."""
        image = users.image
        if self._cloud is None:
            return "a rebuild takes its os_type: give --os-cloud to correct it"
        if len(users.wants) > 1:
            return "servers of it take the RTC in different ways, so no os_type is right for all"
        if users.unknown and (users.foreign or image.visibility != "private") and not self._shared:
            names = ", ".join(users.unknown[:_MOST_NAMES])
            more = len(users.unknown) - _MOST_NAMES
            rest = f" and {more} more" if more > 0 else ""
            return (
                f"it is not of one project alone, and the system of {names}{rest} is not known: "
                "name it with --guests, or give --allow-shared-image"
            )
        return ""


def wanted_word(facts: Facts) -> str | None:
    """The os_type whose clock a guest takes as it is, None where its system is not known."""
    keeps_local = system_of(facts.guest).keeps_local
    return None if keeps_local is None else _WINDOWS if keeps_local else "linux"


def _of_spec(step: Step, spec: OsType | None, wanted: str, source: str) -> Iterator[Step]:
    if spec is None or isinstance(spec, Unknown):
        return
    try:
        old = value_of_os_type(spec.value)
    except Refused:
        return
    if old != wanted:
        target = Target(step.target.id, step.target.name, source)
        why = "no downtime; the scheduler then sees what the driver sees"
        yield Step("", spec_lever.NAME, target, old, wanted, step.findings, why)


def _undone_by_rebuild(step: Step) -> Step:
    return replace(step, why=f"{step.why}; a rebuild would undo this: its image is left as it is")
