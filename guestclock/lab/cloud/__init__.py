"""A one-machine cloud: images, servers and hosts with OpenStack's words and Nova's rules.

with Lab(folder) as lab:
    lab.images.create_guest("win10", lab.images.guest_setup("windows", "Asia/Shanghai"))
    lab.servers.create("desk7", "win10")
    lab.clock("desk7").error
"""

from __future__ import annotations

from guestclock.lab.cloud.lab import Lab
from guestclock.lab.cloud.trace import ClockReading, Trace

__all__ = ["ClockReading", "Lab", "Trace"]
