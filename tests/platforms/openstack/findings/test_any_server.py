"""What holds of every server, whatever its os_type, guest, image and host."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from guestclock.clock import Clock, Localtime, Timer, Utc, Variable, Zone
from guestclock.evidence import Observed, Unknown
from guestclock.findings.finding import Severity
from guestclock.findings.registry import RULES as GENERAL
from guestclock.platforms.interface import NOTHING
from guestclock.platforms.openstack.findings.registry import RULES
from guestclock.platforms.openstack.findings.server import server_findings
from guestclock.platforms.openstack.findings.view import ServerView
from tests.platforms.openstack.findings.build import (
    IMAGE,
    LATER,
    MADE,
    VOLUME,
    cloud,
    image,
    view,
    volume,
)

OS_TYPE = st.sampled_from([None, "", "windows", "Windows", "WINDOWS", "linux", "Linux", "bsd"])
NOT_READ = Unknown("not read", "read it")
ZONE = st.sampled_from(
    [None, "UTC", "Asia/Shanghai", "Europe/London", "Europe/Berlin", "Africa/Abidjan"]
)
SYSTEM = st.sampled_from(
    ["windows", "windows-universal", "linux", "linux-local", "freebsd", "openbsd", "dos", "unknown"]
)
BASE = st.sampled_from(
    [
        None,
        Utc(),
        Localtime(),
        Zone("Asia/Shanghai"),
        Variable(28800),
        Clock(Utc(), (Timer("pit", tickpolicy="delay"),)),
    ]
)
HOSTILE = st.sampled_from(["", "win10", "ubuntu", "\x1b[31m\n=1+1" + "z" * 250])


@st.composite
def servers(draw: st.DrawFn) -> ServerView:
    name = draw(HOSTILE)
    known = [Observed(at, "glance.image_properties") for at in (None, MADE, LATER)]
    set_at = draw(st.sampled_from([NOT_READ, *known]))
    objects: list[Any] = []
    if draw(st.booleans()):
        objects.append(image(draw(OS_TYPE), name=name, os_type_set_at=set_at))
    if draw(st.booleans()):
        objects.append(volume(draw(OS_TYPE), name))
    return view(
        draw(st.one_of(OS_TYPE, st.just(NOT_READ))),
        draw(st.one_of(OS_TYPE, st.just(NOT_READ))),
        inside=cloud(*objects),
        boots=draw(st.sampled_from([IMAGE, VOLUME])),
        vm_state=draw(st.sampled_from(["active", "rescued"])),
        system=draw(SYSTEM),
        zone=draw(ZONE),
        host=draw(ZONE),
        stored=draw(BASE),
        skew=draw(st.sampled_from([0, 0, 0, 2, 28800])),
    )


@given(servers())
def test_a_server_has_one_error_at_most_and_only_if_it_will_be_wrong(seen: ServerView) -> None:
    own = server_findings(seen)
    errors = [one for one in own.findings if one.severity is Severity.ERROR]
    event(errors[0].rule if errors else "no error")
    assert len(errors) <= 1
    if errors:
        assert seen.case.cause is not None
        assert not isinstance(seen.server.column, Unknown)
        assert seen.case.cause in own.replaced
    elif seen.case.cause is not None:
        # Its error is then the general rule's, and must be left in.
        assert seen.case.cause not in own.replaced


@given(servers())
def test_a_missing_os_type_of_windows_is_always_explained(seen: ServerView) -> None:
    guest = seen.case.facts.guest.system
    if guest == "windows" and seen.case.cause == "CLK101":
        assert any(one.severity is Severity.ERROR for one in server_findings(seen).findings)


@given(servers())
def test_findings_are_whole_and_each_rule_is_once_at_a_hop(seen: ServerView) -> None:
    own = server_findings(seen)
    assert bool(own.findings) == (own is not NOTHING)
    places = [(one.rule, one.hop) for one in own.findings]
    assert len(set(places)) == len(places)
    known = {rule.id for rule in RULES}
    for one in own.findings:
        event(f"{one.rule} {one.severity.value}")
        assert one.rule in known
        texts = (one.hop, one.expected, one.observed, one.cure)
        assert all(text and text.isprintable() and len(text) < 1000 for text in texts)
        assert one.evidence
        assert not one.tree
    assert own.replaced <= {rule.id for rule in GENERAL}
