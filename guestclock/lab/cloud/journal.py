"""The journal: what is under way is written down first, and what was left is carried through.

A command that is killed leaves its task. The next command, whatever it is, finds the task's
lock free, and finishes the work before its own. Only the creation of an image is taken back
instead, as the file it came from may be gone.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from guestclock.lab.cloud import compute, rows
from guestclock.lab.cloud.actions import (
    CreateImage,
    DeleteHost,
    DeleteImage,
    DestroyLab,
    DownLab,
    ServerAction,
    SnapshotServer,
)
from guestclock.lab.cloud.locks import Subject
from guestclock.lab.cloud.records import Host, Server, Task, VmState
from guestclock.lab.cloud.site import WHOLE, Site
from guestclock.lab.errors import LabError


def run(site: Site, server: Server, action: ServerAction) -> None:
    """Carry out a server's journaled action and strike it off; its lock is held.

    Raises LabError where it cannot be done: the server then says so too, if it is in error.
    """
    try:
        state = compute.carry_out(site, server, action)
    except LabError as error:
        _give_up(site, server, action, error)
        raise
    _strike_off(site, server, state)


def _strike_off(site: Site, server: Server, state: VmState | None) -> None:
    with site.store.writing() as connection:
        if state is None:
            rows.delete_server(connection, server)
        else:
            rows.set_vm_state(connection, server, state)
        rows.end_task(connection, Subject.SERVER, server.number)


def _give_up(site: Site, server: Server, action: ServerAction, error: LabError) -> None:
    state = compute.failed_state(server, action)
    if isinstance(action, SnapshotServer):
        compute.drop_snapshot(site, action.image_uuid)
    fault = error.message if state == "error" else None
    with site.store.writing() as connection:
        rows.set_vm_state(connection, server, state, fault)
        rows.end_task(connection, Subject.SERVER, server.number)


def finish_lab(site: Site) -> bool:
    """Finish taking the lab down or away, where a command was killed at that.

    Returns whether the lab is gone now.
    """
    with site.store.reading() as connection:
        task = rows.task(connection, Subject.LAB, WHOLE)
    if task is None:
        return False
    with site.alone():
        with site.store.reading() as connection:
            task = rows.task(connection, Subject.LAB, WHOLE)
        match task.action if task else None:
            case DownLab():
                site.tell("finishing `lab down`, which was cut short")
                take_down(site)
            case DestroyLab():
                site.tell("finishing `lab destroy`, which was cut short")
                remove(site)
                return True
            case _:
                pass
    return False


def take_down(site: Site) -> None:
    """End all processes; the journal has it, and nobody else works on the lab."""
    _end_processes(site)
    with site.store.writing() as connection:
        rows.stop_all(connection)
        rows.end_task(connection, Subject.LAB, WHOLE)


def remove(site: Site) -> None:
    """Remove everything; the journal has it until the very end, and nobody else is there."""
    _end_processes(site)
    with site.store.reading() as connection:
        sockets = rows.setting(connection, "sockets")
    site.places.remove_contents(sockets)
    site.store.close()
    site.places.remove_rest()


def _end_processes(site: Site) -> None:
    left = site.gear.end_everything(site.places.folder)
    if left:
        pids = ", ".join(map(str, left))
        raise LabError(f"processes of the lab do not end: {pids}", "end them, and try again")
    site.forget_hosts()


def finish_all(site: Site) -> None:
    """Carry through all that killed commands have left; what others are at is left to them."""
    with site.store.reading() as connection:
        tasks = rows.tasks(connection)
    for task in tasks:
        with site.locks.try_exclusive(task.subject, task.number) as free:
            if free:
                finish(site, task.subject, task.number)
        if not free and not _alive(task.pid):
            # A child that it was just starting as it was killed has its locks until it runs.
            with site.locks.exclusive(task.subject, task.number):
                finish(site, task.subject, task.number)


def _alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    # The state follows the name, which may hold anything, in brackets; Z and X have ended.
    return status.rpartition(b")")[2].split()[0] not in (b"Z", b"X")


def finish(site: Site, subject: Subject, number: int) -> None:
    """Carry through what was left of one subject, whose lock is held."""
    with site.store.reading() as connection:
        task = rows.task(connection, subject, number)
    if task is None:
        return  # Its command was still alive a moment ago, and has ended it since.
    match task.action:
        case CreateImage():
            with site.store.reading() as connection:
                image = rows.image_numbered(connection, number)
            site.tell(f"image {image.name} was not finished: it is removed, create it again")
            compute.remove_image(site, image)
        case DeleteImage():
            with site.store.reading() as connection:
                image = rows.image_numbered(connection, number)
            compute.remove_image(site, image)
        case DeleteHost():
            with site.store.reading() as connection:
                host = rows.host_numbered(connection, number)
            remove_host(site, host)
        case DownLab() | DestroyLab():
            pass  # Taken care of before anything else: `finish_lab`.
        case _:
            _finish_server(site, task, task.action)


def _finish_server(site: Site, task: Task, action: ServerAction) -> None:
    with site.store.reading() as connection:
        server = rows.server_numbered(connection, task.number)
    what = f"server {server.name} was left {action.task_state} by process {task.pid}"
    try:
        _finish_action(site, server, action)
    except LabError as error:
        site.tell(f"{what}, which cannot be finished: {error.message}")
    else:
        site.tell(f"{what}: finished")


def _finish_action(site: Site, server: Server, action: ServerAction) -> None:
    try:
        state = compute.carry_out(site, server, action)
    except LabError:
        # What the killed command had asked of the machine may have come true just now, between
        # two looks at it; a second time nothing of that is left under way.
        with site.store.reading() as connection:
            server = rows.server_numbered(connection, server.number)
            left = rows.task(connection, Subject.SERVER, server.number)
        assert left is not None, "only who holds the server's lock ends its task"
        run(site, server, cast("ServerAction", left.action))
    else:
        _strike_off(site, server, state)


def remove_host(site: Site, host: Host) -> None:
    """Remove a host: its processes, its folder, then its row with the journal's."""
    if site.places.host(host.name).exists():
        site.hypervisor(host).shutdown()
    site.forget_hosts()
    site.places.remove_host(host.name)
    with site.store.writing() as connection:
        rows.delete_host(connection, host)
        rows.end_task(connection, Subject.HOST, host.number)
