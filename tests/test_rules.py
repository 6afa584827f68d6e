from __future__ import annotations

import re
from pathlib import Path

import pytest

from guestclock.errors import UsageProblem
from guestclock.findings import registry
from guestclock.findings.finding import page
from guestclock.rules import RULES, chosen
from tests.findings.build import found
from tests.findings.firing import FIRING

ROOT = Path(__file__).parent.parent
IDS = [rule.id for rule in RULES]
GENERAL = [rule.id for rule in registry.RULES]


def test_every_rule_has_facts_that_fire_it_and_facts_that_do_not() -> None:
    assert list(FIRING) == GENERAL


@pytest.mark.parametrize("rule", GENERAL)
def test_the_rule_fires(rule: str) -> None:
    case = FIRING[rule]
    findings = [one for one in found(case.fires, case.zones).values() if one.rule == rule]
    assert [one.severity.value for one in findings] == [case.severity]
    for finding in findings:
        assert finding.expected
        assert finding.observed
        assert finding.evidence
        assert finding.cure


@pytest.mark.parametrize("rule", GENERAL)
def test_the_rule_does_not_fire(rule: str) -> None:
    case = FIRING[rule]
    assert rule not in {one.rule for one in found(case.silent, case.zones).values()}


def test_ids_and_names_are_unique_and_sorted() -> None:
    assert sorted(set(IDS)) == IDS
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"CLK[1-9]\d\d", rule.id)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name)
        assert rule.summary.endswith(".")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_rule_has_a_page_that_says_all(rule: object) -> None:
    one = next(known for known in RULES if known is rule)
    text = (ROOT / page(one.id)).read_text(encoding="utf-8")
    assert text.startswith(f"# {one.id} {one.name}\n\n{one.summary}\n")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Why it happens", "Example", "Cure", "How it is judged", "Sources"]


def test_the_index_names_every_rule_once() -> None:
    text = (ROOT / "docs/rules/index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(CLK\d+)\]\((CLK\d+)\.md\) \| ([a-z0-9-]+) \|", text, re.MULTILINE)
    assert rows == [(rule.id, rule.id, rule.name) for rule in RULES]


def test_no_page_is_left_over() -> None:
    pages = {path.stem for path in (ROOT / "docs/rules").glob("*.md")}
    assert pages == {*IDS, "index"}


def test_rules_are_chosen_by_id_family_or_name() -> None:
    assert [rule.id for rule in chosen(["CLK101", "clk4"])] == ["CLK101", "CLK401"]
    assert [rule.id for rule in chosen(["double-fix"])] == ["CLK103"]
    families = ["CLK1", "CLK2", "CLK3", "CLK5", "CLK6", "CLK7"]
    assert [rule.id for rule in chosen((), families)] == ["CLK401"]
    assert chosen() == RULES


@pytest.mark.parametrize(
    ("word", "near"), [("CLK110", "CLK10"), ("dubble-fix", "double-fix"), ("X", "docs/rules")]
)
def test_a_rule_that_does_not_exist_proposes_others(word: str, near: str) -> None:
    with pytest.raises(UsageProblem, match=word) as problem:
        chosen([word])
    assert near in (problem.value.hint or "")
