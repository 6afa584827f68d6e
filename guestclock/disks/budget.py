"""What the reading of one image may cost: bytes and time, shared by all readers of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from guestclock.disks.problem import OverLimit


class Limits(NamedTuple):
    """`max_read` is in bytes read from the image and made by decompression, `timeout` in seconds.

    The others are counts that no healthy disk comes near.
    """

    max_read: int = 256 << 20
    timeout: float = 20.0
    links: int = 40
    depth: int = 512
    file: int = 4 << 20
    systems: int = 64
    volumes: int = 512


class Budget:
    """What is left of the limits. Every read and every decompression is paid here, first."""

    def __init__(
        self, limits: Limits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._left = self.limits.max_read
        self._deadline = clock() + self.limits.timeout

    @property
    def spent(self) -> int:
        """Bytes paid so far."""
        return self.limits.max_read - self._left

    def spend(self, count: int) -> None:
        """Pays for `count` bytes before they are read or made. Raises OverLimit."""
        self._left -= count
        if self._left < 0:
            raise OverLimit(f"more than {self.limits.max_read} bytes would have to be read")
        self.tick()

    def tick(self) -> None:
        """Looks at the clock; for loops that read nothing. Raises OverLimit."""
        if self._clock() > self._deadline:
            raise OverLimit(f"it takes longer than {self.limits.timeout:g} s")
