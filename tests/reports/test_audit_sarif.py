"""The structure that SARIF 2.1.0 asks for, as far as this report uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from guestclock.reports.audit import sarif
from guestclock.reports.audit.sarif import SCHEMA, file_uri
from guestclock.rules import RULES
from tests.reports.samples import written

MESSAGE = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}},
}
TEXT = {"type": "string", "minLength": 1}
HELP = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": TEXT, "markdown": TEXT},
}
URI = {"type": "string", "pattern": "^[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+$"}
PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation"],
    "additionalProperties": False,
    "properties": {
        "artifactLocation": {
            "type": "object",
            "required": ["uri"],
            "additionalProperties": False,
            "properties": {"uri": URI},
        },
        "region": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"startLine": {"type": "integer", "minimum": 1}},
        },
    },
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": PHYSICAL,
        "logicalLocations": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "fullyQualifiedName": {"type": "string"},
                    "kind": {"const": "resource"},
                },
            },
        },
    },
}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "help"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": r"^CLK\d{3}$"},
        "name": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]+$"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": HELP,
        "defaultConfiguration": {"type": "object", "properties": {"level": LEVEL}},
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "minItems": 1, "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"},
    },
}
INVOCATION = {
    "type": "object",
    "required": ["executionSuccessful"],
    "additionalProperties": False,
    "properties": {
        "executionSuccessful": {"type": "boolean"},
        "toolExecutionNotifications": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message"],
                "additionalProperties": False,
                "properties": {
                    "level": LEVEL,
                    "message": MESSAGE,
                    "locations": {"type": "array", "items": LOCATION},
                },
            },
        },
    },
}
DOCUMENT = {
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"const": SCHEMA},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"const": "guestclock"},
                                    "version": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "items": RULE, "uniqueItems": True},
                                },
                            }
                        },
                    },
                    "results": {"type": "array", "items": RESULT},
                    "invocations": {"type": "array", "items": INVOCATION},
                    "properties": {"type": "object"},
                },
            },
        },
    },
}


def run() -> dict[str, Any]:
    document = json.loads(written("sarif")[0])
    Draft202012Validator(DOCUMENT).validate(document)
    return cast(dict[str, Any], document["runs"][0])


def test_the_document_has_the_structure_of_sarif() -> None:
    assert len(run()["results"]) == 4


def test_an_empty_document_has_it_too() -> None:
    document = json.loads(written("sarif", ())[0])
    Draft202012Validator(DOCUMENT).validate(document)
    assert document["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_results_point_at_their_rule() -> None:
    found = run()
    rules = found["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    for result in found["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_help_of_a_rule_is_its_page_without_links_that_lead_nowhere() -> None:
    for rule in run()["tool"]["driver"]["rules"]:
        assert rule["help"]["markdown"].startswith(f"# {rule['id']} ")
        assert rule["help"]["text"] == rule["help"]["markdown"]
        assert ".md)" not in rule["help"]["markdown"]


def test_the_help_is_the_summary_where_there_are_no_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "_PROJECT", tmp_path)
    helps = [rule["help"] for rule in run()["tool"]["driver"]["rules"]]
    assert helps == [{"text": rule.summary} for rule in RULES]


def test_levels_and_fingerprints_are_those_of_the_findings() -> None:
    assert [one["level"] for one in run()["results"]] == ["error", "warning", "note", "error"]
    plain = json.loads(written("json")[0])["findings"]
    assert [one["partialFingerprints"]["guestclock/v1"] for one in run()["results"]] == [
        one["fingerprint"] for one in plain
    ]


def test_files_are_physical_locations_and_connections_are_not() -> None:
    locations = [one["locations"][0] for one in run()["results"]]
    assert locations[0]["physicalLocation"]["artifactLocation"] == {"uri": "vm.xml"}
    assert "physicalLocation" not in locations[2]
    assert all("logicalLocations" in one for one in locations)


def test_what_was_not_read_is_a_notification() -> None:
    [invocation] = run()["invocations"]
    assert invocation["executionSuccessful"] is False
    [notification] = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "broken.xml: not well-formed XML"


@pytest.mark.parametrize(
    ("source", "uri"),
    [
        ("/a b/ä.xml", "file:///a%20b/%C3%A4.xml"),
        ("./dir/a.xml", "dir/a.xml"),
        ("a#?.xml", "a%23%3F.xml"),
        ("qemu:///system", None),
        ("pid:12", None),
    ],
)
def test_paths_become_uris(source: str, uri: str | None) -> None:
    assert file_uri(source) == uri
