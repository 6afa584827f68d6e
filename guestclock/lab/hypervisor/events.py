"""libvirt's event loop, once a process: connections notice their end, and machines' ends arrive."""

from __future__ import annotations

import threading
import time
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import libvirt


@cache
def start() -> None:
    """Run libvirt's event loop in a thread; it must be there before a connection is opened."""
    import libvirt

    # libvirt prints errors by itself otherwise, beside the exception that is raised.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=_run, name="libvirt events", daemon=True).start()


def _run() -> None:
    import libvirt

    while True:
        libvirt.virEventRunDefaultImpl()


def wait_stopped(connection: libvirt.virConnect, name: str, seconds: float) -> bool:
    """Wait until a machine is off, at most so many seconds; True when it is.

    A machine that is gone altogether is off. The connection must be the caller's own: its end
    is waited for as well. Raises libvirtError where the daemon ends first.
    """
    import libvirt

    heard = threading.Event()

    def on_event(*_: object) -> None:
        heard.set()

    lifecycle = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
    registration = connection.domainEventRegisterAny(None, lifecycle, on_event, None)
    connection.registerCloseCallback(on_event, None)
    try:
        deadline = time.monotonic() + seconds
        while _active(connection, name):
            if not heard.wait(max(0.0, deadline - time.monotonic())):
                return not _active(connection, name)
            heard.clear()
        return True
    finally:
        connection.unregisterCloseCallback()
        connection.domainEventDeregisterAny(registration)


def _active(connection: libvirt.virConnect, name: str) -> bool:
    import libvirt

    try:
        return bool(connection.lookupByName(name).isActive())
    except libvirt.libvirtError as problem:
        if problem.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            return False
        raise
