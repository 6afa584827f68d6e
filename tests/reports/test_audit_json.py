from __future__ import annotations

import json
import tracemalloc
from typing import Any, cast

from guestclock.audit import Judge, Passing, audit
from guestclock.reports.audit.interface import Scope, report_in
from guestclock.rules import RULES
from tests.findings.build import AT, ZONES
from tests.reports.samples import FLEET, HOSTILE, endless, written


def loaded() -> dict[str, Any]:
    return cast(dict[str, Any], json.loads(written("json")[0]))


def test_the_object_has_findings_unread_and_summary_in_this_order() -> None:
    assert list(loaded()) == ["findings", "unread", "summary"]


def test_a_finding_has_all_keys_and_forms() -> None:
    first = loaded()["findings"][0]
    assert list(first) == [
        "rule",
        "severity",
        "machine",
        "hop",
        "expected",
        "observed",
        "evidence",
        "error_seconds",
        "cure",
        "docs",
        "tree",
        "fingerprint",
    ]
    assert first["rule"] == "CLK101"
    assert first["severity"] == "error"
    assert first["machine"] == {
        "kind": "domain",
        "id": "b3d6dd6b-2aa8-4de9-8eec-33d1b416f781",
        "name": "win10",
        "platform": "libvirt",
        "source": "vm.xml",
    }
    assert first["error_seconds"] == {
        "now": None,
        "after_reset": None,
        "after_cold_start": -28800,
        "unknown": {
            "now": "only the definition was read; ask the host with -c URI --live",
            "after_reset": "only the definition was read; ask the host with -c URI --live",
        },
    }
    assert all(set(one) == {"what", "how", "where"} for one in first["evidence"])
    assert first["docs"] == "docs/rules/CLK101.md"
    assert len(first["fingerprint"]) == 32


def test_findings_keep_the_order_of_the_source() -> None:
    names = [finding["machine"]["name"] for finding in loaded()["findings"]]
    assert names == ["win10", "berlin", "who", HOSTILE]


def test_what_was_not_read_and_the_sum_are_there() -> None:
    document = loaded()
    assert document["unread"] == [{"source": "broken.xml", "reason": "not well-formed XML"}]
    assert document["summary"] == {
        "machines": 5,
        "objects": {},
        "findings": {"error": 2, "warning": 1, "note": 1},
        "rules": {"CLK101": 1, "CLK105": 1, "CLK201": 1, "CLK401": 1},
        "unread": 1,
        "unknown": {"machines": 1, "reasons": {"the guest's system is not known": 1}},
        "notes": [],
        "baseline": 0,
    }


def test_an_empty_audit_is_valid_too() -> None:
    text, _ = written("json", ())
    assert json.loads(text)["findings"] == json.loads(text)["unread"] == []


def test_only_unread_sources_are_valid_too() -> None:
    unread = [FLEET[2], FLEET[2]]
    assert len(json.loads(written("json", unread)[0])["unread"]) == 2


class _Counting:
    """A stream that keeps nothing."""

    characters = 0

    def write(self, text: str) -> int:
        self.characters += len(text)
        return len(text)


def test_a_fleet_is_written_in_flat_memory() -> None:
    def peak(count: int) -> int:
        judge, stream, scope = Judge(AT, ZONES), _Counting(), Scope(AT, 5, RULES)
        results: Any = audit(endless(count), judge)
        tracemalloc.start()
        report_in("json")(cast("Any", results), scope, cast("Any", stream))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert stream.characters > count * 500
        return most

    few = peak(500)
    assert peak(5000) < few + 200_000


def test_results_are_rendered_as_they_come() -> None:
    """The first finding is out before the second machine is read."""
    stream = _Counting()
    before: list[int] = []

    def watched() -> Any:
        results: list[Passing] = list(audit(FLEET[:2], Judge(AT, ZONES)))
        for result in results:
            before.append(stream.characters)
            yield result

    report_in("json")(watched(), Scope(AT, 5, RULES), cast("Any", stream))
    assert before[1] > before[0] + 500
