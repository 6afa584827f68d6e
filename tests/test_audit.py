from __future__ import annotations

import pytest

from guestclock import audit as engine
from guestclock.audit import Audited, Judge, Tally, audit, audited, fingerprint, judge
from guestclock.clock import Utc, Variable
from guestclock.findings.finding import Severity
from guestclock.machine import Identity, Machine
from guestclock.platforms.interface import Unread
from guestclock.rules import chosen
from tests.findings.build import AT, ZONES, facts

UUID = "55f6c3cf-150f-406e-8302-de688ac74705"


def identity(
    unique: str = UUID, name: str = "vm", platform: str = "libvirt", source: str = "a.xml"
) -> Identity:
    return Identity(unique, name, platform, source)


def test_equal_facts_are_judged_once() -> None:
    judging = Judge(AT, ZONES)
    first = judging(facts(Utc()))
    assert judging(facts(Utc())) is first
    assert judging(facts(Variable(60))) is not first


def test_a_judge_forgets_when_it_has_seen_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_REMEMBERED", 3)
    judging = Judge(AT, ZONES)
    same = facts(Utc())
    first = judging(same)
    assert judging(same) is first
    for adjustment in (60, 120, 180):
        judging(facts(Variable(adjustment)))
    assert judging(same) is not first
    assert judging(same) == first


def test_only_the_chosen_rules_are_judged() -> None:
    given = facts(Utc(reset=True))
    assert {one.rule for one in judge(given, AT, ZONES).findings} == {"CLK101", "CLK503"}
    judging = Judge(AT, ZONES, rules=chosen((), ["CLK101"]))
    assert {one.rule for one in judging(given).findings} == {"CLK503"}


def test_the_tolerance_says_what_an_error_is() -> None:
    given = facts(Variable(28830))
    assert "CLK104" in {one.rule for one in judge(given, AT, ZONES).findings}
    assert "CLK104" not in {one.rule for one in judge(given, AT, ZONES, 31).findings}


def test_machines_and_unread_keep_their_order() -> None:
    unread = Unread("b.xml", "it is empty")
    results = list(audit([Machine(identity(), facts(Utc())), unread], Judge(AT, ZONES)))
    assert isinstance(results[0], Audited)
    assert results[1] is unread


def test_a_fingerprint_knows_no_path_and_no_figure() -> None:
    winter = judge(facts(Utc()), AT, ZONES).findings[0]
    other = judge(facts(Utc(), zone="Asia/Tokyo"), AT, ZONES).findings[0]
    assert winter != other
    moved = identity(source="/elsewhere/b.xml", name="renamed")
    assert fingerprint(identity(), winter) == fingerprint(moved, other)
    assert fingerprint(identity(UUID.upper()), winter) == fingerprint(identity(), winter)


def test_a_fingerprint_of_a_machine_without_uuid_is_by_name() -> None:
    finding = judge(facts(Utc()), AT, ZONES).findings[0]
    here, there = identity("a.xml"), identity("/b/c.xml", source="/b/c.xml")
    assert fingerprint(here, finding) == fingerprint(there, finding)
    assert fingerprint(identity("vm"), finding) == fingerprint(here, finding)


@pytest.mark.parametrize(
    "other",
    [
        identity("0" * 8 + UUID[8:]),
        identity(platform="qemu"),
    ],
)
def test_a_fingerprint_differs_for_another_machine(other: Identity) -> None:
    finding = judge(facts(Utc()), AT, ZONES).findings[0]
    assert fingerprint(other, finding) != fingerprint(identity(), finding)


def test_findings_of_one_machine_have_their_own_fingerprints() -> None:
    findings = judge(facts(Utc(reset=True), rtc=28800), AT, ZONES).findings
    assert len({fingerprint(identity(), one) for one in findings}) == len(findings) == 3


def test_a_baseline_leaves_out_what_it_has_and_counts_it() -> None:
    judgement = judge(facts(Utc(reset=True)), AT, ZONES)
    known = {bytes.fromhex(fingerprint(identity(), judgement.findings[0]))}
    left = audited(identity(), judgement, known)
    assert [one.rule for one in left.findings] == ["CLK503"]
    tally = Tally()
    assert list(tally.count([left])) == [left]
    assert (tally.baseline, tally.severities[Severity.ERROR], tally.worst()) == (1, 0, 1)


def test_a_tally_counts_unknown_errors_by_reason() -> None:
    machines = [
        Machine(identity(), facts(Utc(), "unknown", None)),
        Machine(identity(), facts(Utc(), zone=None)),
        Machine(identity(), facts(Utc(), zone=None)),
        Machine(identity(), facts(Utc(), "linux")),
    ]
    tally = Tally()
    for _ in tally.count(audit(machines, Judge(AT, ZONES))):
        pass
    assert tally.unknown.most_common() == [
        ("the guest's zone is not known", 2),
        ("the guest's system is not known", 1),
    ]
    assert tally.worst() == 3


def test_nothing_found_is_the_lowest_rank() -> None:
    assert Tally().worst() == 0
