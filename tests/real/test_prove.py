from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from guestclock.clock import Absolute, Clock, Localtime, Timer, Utc
from guestclock.databases import zones_at_hand
from guestclock.lab import proof as proof_module
from guestclock.lab.matrix import ProofCase, random_cases
from guestclock.lab.proof import prove, subject_of
from guestclock.lab.proving import prove_matrix
from tests.conftest import Run

pytestmark = pytest.mark.real

BERLIN_SPRING = datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_a_matrix_of_every_clock_form_matches_the_law_and_is_timed_against_the_bare_loop() -> None:
    zones = zones_at_hand()
    tally = prove_matrix(random_cases(200, 7, zones.host), zones, compare_bare=True)
    assert tally.cases == 200
    assert [mismatch.command for mismatch in tally.mismatches] == []
    assert tally.bare_seconds


@pytest.mark.parametrize("seconds", [-2, -1, 0, 1, 3600])
def test_the_seconds_around_a_change_match(seconds: int) -> None:
    zones = zones_at_hand()
    at = BERLIN_SPRING + timedelta(seconds=seconds)
    case = ProofCase(Clock(Localtime()), "Europe/Berlin", at)
    assert prove(subject_of(case, zones), zones, travel=True).matches


@pytest.mark.parametrize("track", ["wall", "realtime", "guest"])
def test_a_start_beyond_68_years_wraps_with_the_host_clock_alone(track: str) -> None:
    zones = zones_at_hand()
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    clock = Clock(
        Absolute(int(datetime(2150, 1, 1, tzinfo=UTC).timestamp())), (Timer("rtc", track=track),)
    )
    proof = prove(subject_of(ProofCase(clock, "UTC", at), zones), zones, travel=True)
    assert proof.matches
    assert (proof.reading.qom.year == 2150) == (track != "wall")


def test_a_law_that_is_wrong_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof must be able to fail."""
    zones = zones_at_hand()
    right = proof_module._made_at

    def late(*arguments: object) -> datetime:
        return right(*arguments) + timedelta(hours=1)  # type: ignore[arg-type]

    monkeypatch.setattr(proof_module, "_made_at", late)
    case = ProofCase(Clock(Utc()), "UTC", datetime(2026, 1, 1, tzinfo=UTC))
    assert not prove(subject_of(case, zones), zones, travel=True).matches


def test_the_command_proves_a_file_across_summer_time(guestclock: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(
        "<domain type='kvm'><name>a</name><os><type machine='pc-q35-7.2'>hvm</type></os>"
        "<clock offset='timezone' timezone='Europe/Berlin'/></domain>"
    )
    ran = guestclock(
        *("prove", file, "--host-zone", "UTC", "--across-dst"),
        *("--at", "2026-11-23T12:00:00Z", "-f", "json"),
    )
    assert ran.code == 0
    found = json.loads(ran.out)
    assert [row["at"] for row in found["proofs"]] == [
        "2026-11-23T12:00:00Z",
        "2027-03-28T00:59:50Z",
        "2027-03-28T01:00:10Z",
        "2027-10-31T00:59:50Z",
        "2027-10-31T01:00:10Z",
    ]
    assert {row["process_zone"] for row in found["proofs"]} == {"Europe/Berlin"}
    assert "q35" in found["caveat"]


def test_the_command_reports_a_matrix_as_json(guestclock: Run) -> None:
    ran = guestclock("prove", "--matrix", "--count", "6", "--seed", "3", "-f", "json")
    assert ran.code == 0
    found = json.loads(ran.out)
    assert found["cases"] == 6
    assert found["mismatches"] == []
    assert found["bare_seconds"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "give one of"),
        (("-rtc", "base=localtime"), "--host-zone"),
        (("-rtc", "base=now"), "is not utc"),
        (("-rtc", "base=utc", "--across-dst"), "does not change within a year"),
        (("-rtc", "base=utc", "--at", "1960-01-01T00:00:00Z"), "time travel goes to"),
        (("-rtc", "base=utc", "--at", "2200-01-01T00:00:00Z"), "time travel goes to"),
    ],
)
def test_the_command_says_what_is_missing(
    guestclock: Run,
    arguments: tuple[str, ...],
    says: str,
) -> None:
    ran = guestclock("prove", *arguments)
    assert ran.code == 2
    assert says in ran.err
