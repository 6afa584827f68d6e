"""What Nova knows of one server: what its rules find, and what `explain` adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from guestclock.clock import Utc
from guestclock.cures import Cure, right_base
from guestclock.evidence import Unknown, value_of
from guestclock.explanation import Told, Within
from guestclock.findings.cause import case_of
from guestclock.findings.finding import Case, Finding, Severity
from guestclock.machine import Machine
from guestclock.platforms.interface import NOTHING, Own
from guestclock.platforms.openstack.findings.server import server_findings
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.history import history_of
from guestclock.platforms.openstack.hops import best_base, server_hops
from guestclock.platforms.openstack.life import operations
from guestclock.platforms.openstack.lineage import family_tree
from guestclock.platforms.openstack.records import Action, Cloud, Server
from guestclock.platforms.surroundings import Surroundings
from guestclock.zones import Zones

Actions = Callable[[str], "tuple[Action, ...] | Unknown"]
"""Asks for one server's creations and rebuilds; only where something was found, as each is a
request of its own."""


@dataclass(frozen=True, slots=True)
class ServerOrigin:
    """Nova's side of a server."""

    server: Server
    cloud: Cloud
    surroundings: Surroundings
    actions: Actions | None = None

    def own(self, case: Case) -> Own:
        """What OpenStack's rules find."""
        own = server_findings(ServerView(case, self.server, self.cloud))
        if own is NOTHING or self.actions is None:
            return own
        server = self._with_actions(self.actions)
        if server is self.server:
            return own
        return server_findings(ServerView(case, server, self.cloud))

    def _with_actions(self, actions: Actions) -> Server:
        if not isinstance(self.server.made, Unknown):
            return self.server
        made = actions(self.server.id)
        return self.server if isinstance(made, Unknown) else replace(self.server, made=made)

    def told(self, machine: Machine, at: datetime, zones: Zones, tolerance: int) -> Told:
        """The hops, the operations, the records and the lineage of the server."""
        server = self._with_actions(self.actions) if self.actions else self.server
        case = case_of(machine.facts, at, zones, tolerance)
        own = server_findings(ServerView(case, server, self.cloud))
        facts = machine.facts
        return Told(
            hops=server_hops(server, self.cloud, facts, at, zones),
            within=_within(case, own.findings),
            ahead=operations(server, self.cloud, self.surroundings, facts, at, zones, tolerance),
            history=history_of(server, self.cloud),
            tree=family_tree(server, self.cloud),
        )


_COST = "one hard reboot, or stop and start; a reboot inside the guest changes nothing"


def _within(case: Case, findings: tuple[Finding, ...]) -> Within | None:
    """The best clock that Nova can write, and the cure of the rule that explains the fault."""
    explains = next((one for one in findings if one.severity is Severity.ERROR), None)
    best = best_base(case.facts, case.at, case.zones)
    base = best or right_base(case.facts.guest) or Utc()
    if explains is not None:
        return Within(base, Cure(explains.cure, _COST))
    if best is None and value_of(case.facts.guest.kind) == "windows":
        inside = "set RealTimeIsUniversal in the guest, and leave os_type unset or linux"
        return Within(base, Cure(inside, f"a change inside the guest, and {_COST}"))
    return None
