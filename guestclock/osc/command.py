"""What the commands have in common: exit codes, and what is said beside the table."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from osc_lib.command import command

from guestclock.errors import GuestclockError

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion

    from guestclock.platforms.interface import Note, Unread

FINDINGS = 1
UNREAD = 3


class _Speaking:
    """Errors in our words and with our exit codes; `code` is what the command comes to."""

    app: Any
    log: Any
    code = 0

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Runs the command: 0, 1 for findings, 2 for usage, 3 where something was not read."""
        try:
            super().run(parsed_args)  # type: ignore[misc]
        except GuestclockError as problem:
            self.log.error(str(problem))
            if problem.hint:
                self.log.error(f"hint: {problem.hint}")
            return problem.exit_code
        return self.code

    @property
    def region(self) -> CloudRegion:
        """The cloud that the client has signed in to."""
        region: CloudRegion = self.app.client_manager.clock
        return region

    def tell(self, told: Iterable[Unread | Note]) -> None:
        """Says what was not read, which makes exit code 3, and what sources could not tell."""
        from guestclock.platforms.interface import Unread

        for one in told:
            if isinstance(one, Unread):
                self.code = self.code or UNREAD
                self.log.error(f"not read: {one.source}: {one.reason}")
            else:
                self.log.warning(f"note: {one.source}: {one.text}")


class Lister(_Speaking, command.Lister):
    """A command that lists rows."""


class ShowOne(_Speaking, command.ShowOne):
    """A command that shows one thing, field by field."""
