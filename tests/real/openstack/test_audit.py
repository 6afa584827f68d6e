"""The audit of a real cloud into which every defect was sown that one host can have."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.real.openstack.cloud import Cloud
from tests.real.openstack.foretelling import all_sources, guests_list
from tests.real.openstack.reader import Reader
from tests.real.openstack.recording import recorded_requests, recorded_statements
from tests.real.openstack.running import Bed
from tests.real.openstack.seeds import SEEDS, Made

pytestmark = pytest.mark.real

FORMATS = ("table", "json", "csv", "html", "sarif", "junit")
FINDINGS, UNREAD = 1, 3
# What the drivers of databases say beside SELECT: settings of their own session, and its end.
_OF_SESSION = re.compile(
    r"SET (SESSION |@@session\.)?(NAMES|AUTOCOMMIT|TRANSACTION|sql_mode|time_zone|\w*timeout\w*)\b"
    r"|BEGIN|START TRANSACTION READ ONLY|ROLLBACK|SHOW\b",
    re.IGNORECASE,
)
_LOCKS = re.compile(r"\bFOR\s+(UPDATE|SHARE)\b|\bLOCK\s+IN\b|\bINTO\s+(OUT|DUMP)FILE\b", re.I)


@dataclass(frozen=True)
class Audited:
    """One audit: what was printed, and what it asked of the cloud meanwhile."""

    code: int
    out: str
    err: str
    requests: list[tuple[str, str]]
    tokens: set[str]
    statements: list[str]


@pytest.fixture(scope="module")
def sown(cloud: Cloud) -> Iterator[Made]:
    """All seeds, made side by side."""
    made = [Made() for _ in SEEDS]
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(seed, cloud, one) for seed, one in zip(SEEDS, made, strict=True)]:
            done.result()
    together = Made()
    for one in made:
        together.due |= one.due
        together.guests |= one.guests
    together.names = cloud.names()
    yield together
    cloud.clean()


@pytest.fixture(scope="module")
def sources(
    sown: Made, bed: Bed, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """The options of an audit by all sources."""
    guests = tmp_path_factory.mktemp("audit") / "guests.toml"
    guests.write_text(guests_list(sown.guests))
    return [*all_sources(bed), "--guests", str(guests)]


@pytest.fixture(scope="module")
def audited(sources: list[str], bed: Bed, reader: Reader) -> Audited:
    """An audit in a process of its own, with all that it asks for written down."""
    with recorded_requests() as requests, recorded_statements(bed, reader.name) as statements:
        ran = run_audit(*sources, "-f", "json", environment=requests.environment)
    return Audited(
        ran.returncode, ran.stdout, ran.stderr, requests.seen, requests.tokens, statements
    )


def run_audit(
    *options: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guestclock", "audit", *options]
    variables = os.environ | (environment or {})
    return subprocess.run(command, env=variables, capture_output=True, text=True)


def test_each_defect_is_found_once_and_nothing_is_wrong_with_the_healthy(
    audited: Audited, sown: Made
) -> None:
    report = json.loads(audited.out)
    found: dict[str, list[tuple[str, str]]] = {made: [] for made in sown.due}
    for finding in report["findings"]:
        if finding["machine"]["id"] in found:
            found[finding["machine"]["id"]].append((finding["rule"], finding["severity"]))
    wrong = {
        f"{sown.names[made]}: {found[made]}, due {list(due)}"
        for made, due in sown.due.items()
        if found[made] != list(due)
    }
    assert wrong == set()
    assert report["unread"] == []
    assert audited.code == FINDINGS


def test_the_lineage_is_shown_as_a_tree(audited: Audited, sown: Made, cloud: Cloud) -> None:
    report = json.loads(audited.out)
    lineages = [one for one in report["findings"] if one["rule"] == "CLK605"]
    [spread] = [one for one in lineages if one["machine"]["id"] in sown.due]
    depths = [branch["depth"] for branch in spread["tree"]]
    assert depths == [0, 1, 2, 3]
    names = ("windows-10-base", "parent", "windows-10-snapshot", "child")
    for name, branch in zip(names, spread["tree"], strict=True):
        assert cloud.prefix + name in branch["text"]
        assert branch["wrong"]


def test_the_cloud_is_asked_for_nothing_but_answers(audited: Audited) -> None:
    paths = [path for method, path in audited.requests if method == "GET"]
    assert any(path.endswith("/servers/detail") for path in paths)
    assert any(path.endswith("/images") for path in paths)
    changes = {request for request in audited.requests if request[0] not in ("GET", "HEAD")}
    assert changes == {("POST", "/v3/auth/tokens")}


def test_the_databases_are_asked_for_nothing_but_rows(audited: Audited) -> None:
    selects = [one for one in audited.statements if re.match(r"\s*SELECT\b", one, re.IGNORECASE)]
    assert any("instance_system_metadata" in one for one in selects)
    assert [one for one in selects if _LOCKS.search(one)] == []
    others = [one for one in audited.statements if one not in selects]
    assert [one for one in others if not _OF_SESSION.match(one)] == []


def test_the_number_of_statements_does_not_grow_with_the_servers(
    audited: Audited, sown: Made
) -> None:
    tables = [one for one in audited.statements if " FROM instances" in one.replace("\n", " ")]
    assert 0 < len(tables) < len(sown.guests) / 2


@pytest.mark.parametrize("form", FORMATS)
def test_no_secret_is_printed(
    form: str, sources: list[str], audited: Audited, bed: Bed, reader: Reader
) -> None:
    ran = run_audit(*sources, "-f", form)
    assert ran.returncode == FINDINGS, ran.stderr
    said = ran.stdout + ran.stderr + audited.out + audited.err
    assert audited.tokens
    secrets = [*bed.secrets(), reader.password, *reader.environment.values(), *audited.tokens]
    assert [secret for secret in secrets if secret in said] == []


@pytest.mark.parametrize(
    ("option", "variable"), [("--cell-db", "SUITE_CELL_DB"), ("--glance-db", "SUITE_GLANCE_DB")]
)
def test_a_refused_password_is_told_and_not_shown(
    option: str, variable: str, bed: Bed, reader: Reader
) -> None:
    wrong = "not-the-password-of-this-reader"
    url = reader.environment[variable].replace(reader.password, wrong)
    ran = run_audit("--os-cloud", "bed", option, "env:WRONG", environment={"WRONG": url})
    assert "the password is refused" in ran.stdout + ran.stderr
    assert wrong not in ran.stdout + ran.stderr
    assert ran.returncode in (FINDINGS, UNREAD)
