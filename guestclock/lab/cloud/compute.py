"""The compute step: carries out what the journal says, from wherever it was left.

Every action is carried out so that doing it a second time, after any part of the first, ends in
the same state. Where that cannot be seen from the machine itself, the process it had before tells:
a server that runs in another one has had its new start.
"""

from __future__ import annotations

from typing import assert_never

from guestclock.lab.cloud import rows
from guestclock.lab.cloud.actions import (
    ColdMigrate,
    CreateServer,
    DeleteServer,
    HardReboot,
    LiveMigrate,
    PauseServer,
    RebuildServer,
    ServerAction,
    SnapshotServer,
    SoftReboot,
    StartServer,
    StopServer,
    UnpauseServer,
)
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.machine import Machine
from guestclock.lab.cloud.places import copy_whole, part_of
from guestclock.lab.cloud.records import Host, Image, Server, VmState
from guestclock.lab.cloud.site import Site
from guestclock.lab.errors import LabError

_MIGRATION_SECONDS = 60.0


def carry_out(site: Site, server: Server, action: ServerAction) -> VmState | None:
    """Carry out an action; return the server's state after it, None when its row may go.

    Raises LabError where it cannot be done; `failed_state` says what the server is then.
    """
    match action:
        case CreateServer(image_uuid=image):
            return _create(site, server, image)
        case RebuildServer():
            return _rebuild(site, server, action)
        case SoftReboot(before=before):
            return _soft_reboot(site, server, before)
        case HardReboot(before=before):
            machine = Machine(site, server)
            _replace_process(machine, before)
            return "active"
        case StopServer():
            return _stop(Machine(site, server))
        case StartServer():
            _replace_process(Machine(site, server), None)
            return "active"
        case PauseServer():
            Machine(site, server).hypervisor.suspend(server.domain)
            return "paused"
        case UnpauseServer():
            Machine(site, server).hypervisor.resume(server.domain)
            return "active"
        case SnapshotServer(image_uuid=image):
            return _snapshot(site, server, image)
        case LiveMigrate():
            return _live_migrate(site, server, action)
        case ColdMigrate():
            return _cold_migrate(site, server, action)
        case DeleteServer():
            _delete(site, server)
            return None
        case _:
            assert_never(action)


def failed_state(server: Server, action: ServerAction) -> VmState:
    """Return what a server is after an action that failed, as in Nova."""
    match action:
        case (
            CreateServer()
            | RebuildServer()
            | SoftReboot()
            | HardReboot()
            | StartServer()
            | ColdMigrate()
            | DeleteServer()
        ):
            return "error"
        case StopServer() | PauseServer() | UnpauseServer() | SnapshotServer() | LiveMigrate():
            return server.vm_state
        case _:
            assert_never(action)


def _replace_process(machine: Machine, before: str | None) -> None:
    """Give the machine a new process, unless it runs in one that is not `before`."""
    if _has_new_process(machine, before):
        machine.await_boot()
    else:
        machine.restart()


def _has_new_process(machine: Machine, before: str | None) -> bool:
    return machine.process() not in (None, before)


def _create(site: Site, server: Server, image_uuid: str) -> VmState:
    machine = Machine(site, server)
    if not machine.running:
        _take_disk(site, server, image_uuid)
    _replace_process(machine, None)
    return "active"


def _rebuild(site: Site, server: Server, action: RebuildServer) -> VmState:
    machine = Machine(site, server)
    if _has_new_process(machine, action.before):
        machine.await_boot()
        return "active"
    machine.hypervisor.destroy(machine.name)
    _take_disk(site, server, action.image_uuid)
    machine.define()
    if not action.start:
        return "stopped"
    machine.start()
    return "active"


def _take_disk(site: Site, server: Server, image_uuid: str) -> None:
    with site.store.reading() as connection:
        image = rows.image(connection, image_uuid)
    with site.locks.shared(Subject.IMAGE, image.number):
        copy_whole(site.places.image(image.uuid), site.places.disk(server.uuid))


def _soft_reboot(site: Site, server: Server, before: str | None) -> VmState:
    machine = Machine(site, server)
    if machine.running and machine.process() == before and not machine.press_power_button():
        site.tell(f"{server.name} did not heed the power button: the reboot becomes a hard one")
        with site.store.writing() as connection:
            rows.end_task(connection, Subject.SERVER, server.number)
            rows.begin_task(connection, Subject.SERVER, server.number, HardReboot(before))
        _replace_process(machine, before)
        return "active"
    if machine.running:
        machine.await_boot()
    else:
        machine.start()
    return "active"


def _stop(machine: Machine) -> VmState:
    if machine.running and not machine.press_power_button():
        machine.hypervisor.destroy(machine.name)
    return "stopped"


def _snapshot(site: Site, server: Server, image_uuid: str) -> VmState:
    """Copy the disk while nothing writes to it."""
    with site.store.reading() as connection:
        image = rows.image(connection, image_uuid)
    machine = Machine(site, server)
    held = server.vm_state == "active"
    if held:
        machine.hypervisor.suspend(machine.name)
    try:
        copy_whole(machine.disk, site.places.image(image_uuid))
    finally:
        if held:
            machine.hypervisor.resume(machine.name)
    with site.store.writing() as connection:
        rows.set_image_active(connection, image)
    return server.vm_state


def drop_snapshot(site: Site, image_uuid: str) -> None:
    """Take back the image of a snapshot that failed."""
    with site.store.reading() as connection:
        image = rows.find_image(connection, image_uuid)
    if image is not None:
        remove_image(site, image)


def remove_image(site: Site, image: Image) -> None:
    """Remove an image: the file first, then the row, which knows of the file till then.

    A task about the image ends with its row.
    """
    file = site.places.image(image.uuid)
    part_of(file).unlink(missing_ok=True)
    file.unlink(missing_ok=True)
    with site.store.writing() as connection:
        rows.delete_image(connection, image)
        rows.end_task(connection, Subject.IMAGE, image.number)


def _live_migrate(site: Site, server: Server, action: LiveMigrate) -> VmState:
    source, target = _host(site, action.source), _host(site, action.target)
    here, there = Machine(site, server, source), Machine(site, server, target)
    failure: LabError | None = None
    # libvirt's daemons go on without the command that asked them to, so a migration may be under
    # way already, or begin just now. What counts is where the machine is in the end.
    if here.running and there.running:
        here.hypervisor.wait_off(here.name, _MIGRATION_SECONDS)
    if here.running:
        try:
            here.hypervisor.migrate(here.name, there.hypervisor)
        except LabError as error:
            failure = error
            if there.running:
                here.hypervisor.wait_off(here.name, _MIGRATION_SECONDS)
    if here.running or not there.running:
        raise failure or LabError(f"{server.name} went off while it moved to {target.name}")
    here.hypervisor.undefine(here.name)
    _move(site, server, target)
    return server.vm_state


def _cold_migrate(site: Site, server: Server, action: ColdMigrate) -> VmState:
    source, target = _host(site, action.source), _host(site, action.target)
    here, there = Machine(site, server, source), Machine(site, server, target)
    if here.running:
        _stop(here)
    here.hypervisor.undefine(here.name)
    if not there.running:
        there.define()
    _move(site, server, target)
    if not action.start:
        return "stopped"
    if there.running:
        there.await_boot()
    else:
        there.start()
    return "active"


def _host(site: Site, name: str) -> Host:
    with site.store.reading() as connection:
        return rows.host(connection, name)


def _move(site: Site, server: Server, host: Host) -> None:
    with site.store.writing() as connection:
        rows.set_host(connection, server, host)


def _delete(site: Site, server: Server) -> None:
    """Process, definition, disk: the row, which knows of them all, goes with the journal's."""
    machine = Machine(site, server)
    machine.remove()
    part_of(machine.disk).unlink(missing_ok=True)
    machine.disk.unlink(missing_ok=True)
