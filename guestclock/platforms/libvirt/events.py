"""libvirt's event loop, once a process: connections notice their end, and machines' ends arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
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


def wait_until(
    connection: libvirt.virConnect, reached: Callable[[libvirt.virConnect], bool], seconds: float
) -> bool:
    """Wait until `reached`, which is asked anew at every event of any machine; False if it is not.

    The connection must be the caller's own: its end is waited for as well. Raises libvirtError
    where the daemon ends first.
    """
    import libvirt

    heard = threading.Event()

    def on_event(*_: object) -> None:
        heard.set()

    kinds = (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED)
    ours = [connection.domainEventRegisterAny(None, kind, on_event, None) for kind in kinds]
    connection.registerCloseCallback(on_event, None)
    try:
        deadline = time.monotonic() + seconds
        while not reached(connection):
            if not heard.wait(max(0.0, deadline - time.monotonic())):
                return reached(connection)
            heard.clear()
        return True
    finally:
        connection.unregisterCloseCallback()
        for registration in ours:
            connection.domainEventDeregisterAny(registration)
