"""From rows to servers. Names of properties are compared here: a collation ignores their case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from guestclock.evidence import Observed
from guestclock.platforms.openstack.records import (
    EMPTY,
    NO_ACTIONS,
    Action,
    OsType,
    Server,
)

Rows = Sequence[Sequence[Any]]

COPIED = {
    f"image_{name}": name
    for name in (
        "base_image_ref",
        "hw_time_hpet",
        "os_admin_user",
        "os_distro",
        "os_type",
        "os_version",
        "vmware_ostype",
    )
}
"""Keys of instance_system_metadata that are read, and the properties they are copies of."""

MADE = ("create", "rebuild")
"""The actions at which Nova reads the image."""

_POWER = {0: "pending", 1: "running", 3: "paused", 4: "shutdown", 6: "crashed", 7: "suspended"}
"""Nova's words for instances.power_state (nova/compute/power_state.py, STATE_MAP)."""

_REMEMBERED = 64


def aware(value: object) -> datetime | None:
    """A time of the database, which is UTC and naive, as an aware one."""
    if isinstance(value, str):
        # MariaDB has dates that are none, such as 0000-00-00.
        try:
            return datetime.fromisoformat(value + "+00:00")
        except ValueError:
            return None
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else None


class OsTypes:
    """Facts of one column. Equal ones are one object: a cloud has three of them, not 100,000."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._kept: dict[str | None, OsType] = {}

    def fact(self, value: str | None) -> OsType:
        """What the column says, None where it says nothing."""
        fact = self._kept.get(value)
        if fact is None:
            fact = Observed(value, self._where)
            if len(self._kept) < _REMEMBERED:
                self._kept[value] = fact
        return fact


class ServerMaker:
    """Makes servers of a page of instances and of what other tables have for them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._columns = OsTypes(f"{name}: instances.os_type")
        self._metadata = OsTypes(f"{name}: instance_system_metadata image_os_type")

    def servers(
        self, instances: Rows, metadata: Rows, devices: Rows | None, actions: Rows | None
    ) -> list[Server]:
        """The servers in the order of their rows; None is a table that was not read."""
        name, column, copy = self._name, self._columns.fact, self._metadata.fact
        copied, made = _copied(metadata), _made(actions or ())
        volumes = {row[0]: (row[1], row[2]) for row in devices or ()}
        unmade = NO_ACTIONS if actions is None else ()
        servers = []
        for (
            _,
            uuid,
            os_type,
            image,
            vm_state,
            task_state,
            power_state,
            host,
            node,
            display_name,
            project,
            created_at,
            launched_at,
        ) in instances:
            properties = copied.get(uuid)
            has, base, volume = None, None, None
            if properties is not None:
                has = properties.pop("os_type", None)
                base = properties.pop("base_image_ref", None)
            if uuid in volumes:
                volume, origin = volumes[uuid]
                base = base or origin
            servers.append(
                Server(
                    id=uuid,
                    name=display_name or uuid,
                    project=project or "",
                    host=host or "",
                    node=node or "",
                    image=image or "",
                    volume=volume or "",
                    column=column(os_type),
                    metadata=copy(has),
                    copied=properties or EMPTY,
                    base_image=base or "",
                    vm_state=vm_state or "",
                    task_state=task_state or "",
                    power_state=_POWER.get(power_state, ""),
                    created_at=aware(created_at),
                    launched_at=aware(launched_at),
                    made=made.get(uuid, unmade),
                    source=name,
                )
            )
        return servers


def _copied(metadata: Rows) -> Mapping[str, dict[str, str]]:
    """The properties of each server; of a key that is there twice Nova too takes the last."""
    copied: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for uuid, key, value in metadata:
        name = COPIED.get(key)
        if name is not None and value is not None:
            copied[uuid][name] = value
    return copied


def _made(actions: Iterable[Sequence[Any]]) -> Mapping[str, tuple[Action, ...]]:
    made: dict[str, tuple[Action, ...]] = {}
    for uuid, action, started in actions:
        at = aware(started)
        if at is None or action not in MADE:
            continue
        one = Action(action, at)
        known = made.get(uuid)
        made[uuid] = (one,) if known is None else (*known, one)
    return {uuid: _by_time(known) for uuid, known in made.items()}


def _by_time(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    return actions if len(actions) == 1 else tuple(sorted(actions, key=lambda one: one.at))
