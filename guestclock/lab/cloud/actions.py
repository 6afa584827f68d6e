"""The operations that take more than one step, as they are written into the journal.

Each can be carried out a second time from its record alone, which is how the next command
finishes what a killed one began. `before` is the process (pid and start time) that the server had
at first: a server that runs in another one has had its new start already.
"""

from __future__ import annotations

from typing import ClassVar, TypeAlias

import msgspec


class _Action(msgspec.Struct, frozen=True, tag=True):
    """Written as JSON with the name of its class."""

    task_state: ClassVar[str]


class CreateServer(_Action, frozen=True):
    """Copy the image, define the domain, start it."""

    task_state: ClassVar[str] = "spawning"
    image_uuid: str


class RebuildServer(_Action, frozen=True):
    """Replace the disk by the image's, define the domain anew, start it if it was on."""

    task_state: ClassVar[str] = "rebuilding"
    image_uuid: str
    start: bool
    before: str | None


class SoftReboot(_Action, frozen=True):
    """Shut down by the power button, start the same definition; deaf guests get a hard reboot."""

    task_state: ClassVar[str] = "rebooting"
    before: str | None


class HardReboot(_Action, frozen=True):
    """Pull the plug, define the domain anew, start it."""

    task_state: ClassVar[str] = "rebooting_hard"
    before: str | None


class StopServer(_Action, frozen=True):
    """Shut down by the power button; pull the plug if the guest does not hear it."""

    task_state: ClassVar[str] = "powering-off"


class StartServer(_Action, frozen=True):
    """Define the domain anew, start it."""

    task_state: ClassVar[str] = "powering-on"


class PauseServer(_Action, frozen=True):
    """Stop its virtual CPUs."""

    task_state: ClassVar[str] = "pausing"


class UnpauseServer(_Action, frozen=True):
    """Let its virtual CPUs run on."""

    task_state: ClassVar[str] = "unpausing"


class SnapshotServer(_Action, frozen=True):
    """Copy the disk into an image that has been entered already."""

    task_state: ClassVar[str] = "image_snapshot"
    image_uuid: str


class LiveMigrate(_Action, frozen=True):
    """Move the running machine with its definition as it is."""

    task_state: ClassVar[str] = "migrating"
    source: str
    target: str


class ColdMigrate(_Action, frozen=True):
    """Take it off one host, define it anew on another, start it if it was on."""

    task_state: ClassVar[str] = "resize_migrating"
    source: str
    target: str
    start: bool


class DeleteServer(_Action, frozen=True):
    """Process first, then definition, disk, and last the row."""

    task_state: ClassVar[str] = "deleting"


class CreateImage(_Action, frozen=True):
    """Write the file. What was cut short is taken back: its source may be gone."""

    task_state: ClassVar[str] = "saving"


class DeleteImage(_Action, frozen=True):
    """File first, then the row."""

    task_state: ClassVar[str] = "deleting"


class DeleteHost(_Action, frozen=True):
    """Processes first, then the folder, and last the row."""

    task_state: ClassVar[str] = "deleting"


class DownLab(_Action, frozen=True):
    """End all processes of all hosts; every server is stopped then."""

    task_state: ClassVar[str] = "going down"


class DestroyLab(_Action, frozen=True):
    """End all processes, remove everything, the journal last."""

    task_state: ClassVar[str] = "being destroyed"


Action: TypeAlias = (
    CreateServer
    | RebuildServer
    | SoftReboot
    | HardReboot
    | StopServer
    | StartServer
    | PauseServer
    | UnpauseServer
    | SnapshotServer
    | LiveMigrate
    | ColdMigrate
    | DeleteServer
    | CreateImage
    | DeleteImage
    | DeleteHost
    | DownLab
    | DestroyLab
)

ServerAction: TypeAlias = (
    CreateServer
    | RebuildServer
    | SoftReboot
    | HardReboot
    | StopServer
    | StartServer
    | PauseServer
    | UnpauseServer
    | SnapshotServer
    | LiveMigrate
    | ColdMigrate
    | DeleteServer
)

_DECODER: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


def encode(action: Action) -> str:
    """Return the journal's text of an action."""
    return msgspec.json.encode(action).decode()


def decode(text: str) -> Action:
    """Return the action of a journal's text."""
    return _DECODER.decode(text)
