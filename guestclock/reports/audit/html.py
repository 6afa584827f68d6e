"""One self-contained page: no script, style, font or picture comes from elsewhere.

Rows are written as they come and wait in a temporary file, as the sums stand above them.
"""

from __future__ import annotations

import base64
import hashlib
import html
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import IO, TextIO

from guestclock.audit import Audited, Passing, Tally
from guestclock.evidence import Fact, Unknown, value_of
from guestclock.findings.finding import Finding, Rule, Severity, page
from guestclock.machine import MACHINES
from guestclock.platforms.interface import Unread
from guestclock.reports.audit.interface import Scope
from guestclock.reports.audit.summary import counted, summary_line
from guestclock.reports.audit.text import visible
from guestclock.words import behind_or_ahead, instant

_SPOOLED = 1 << 20
_HEADING = (
    ("Severity", "rank"),
    ("Machine", "machine"),
    ("Rule", "rule"),
    ("After a cold start", "error"),
)


def report(results: Iterable[Passing], scope: Scope, stream: TextIO) -> None:
    """Writes the page."""
    names = {rule.id: rule.name for rule in scope.rules}
    with (
        tempfile.SpooledTemporaryFile(_SPOOLED, "w+", encoding="utf-8") as rows,
        tempfile.SpooledTemporaryFile(_SPOOLED, "w+", encoding="utf-8") as unread,
    ):
        for result in scope.tally.count(results):
            if isinstance(result, Unread):
                source, reason = _safe(result.source), _safe(result.reason)
                unread.write(f"<li><code>{source}</code>: {reason}</li>\n")
                continue
            for finding in result.findings:
                rows.write(_row(result, finding, names[finding.rule], scope.tolerance))
        stream.writelines(_head(scope))
        _copy_findings(rows, scope.tally, stream)
        if scope.tally.unread:
            stream.write(f"<h2>Not read: {scope.tally.unread:,}</h2>\n<ul class='plain'>\n")
            _copy(unread, stream)
            stream.write("</ul>\n")
        stream.writelines(_tail(scope))


def _safe(text: str) -> str:
    return html.escape(visible(text))


def _copy(spooled: IO[str], stream: TextIO) -> None:
    spooled.seek(0)
    shutil.copyfileobj(spooled, stream)


def _copy_findings(rows: IO[str], tally: Tally, stream: TextIO) -> None:
    if not tally.severities.total():
        stream.write("<p class='clean'>Nothing was found.</p>\n")
        return
    stream.writelines(_tools(tally))
    _copy(rows, stream)
    stream.write("</tbody>\n</table>\n</div>\n")
    stream.write("<button class='more' id='more' type='button' hidden>Show more</button>\n")


def _asset(name: str) -> str:
    return files("guestclock.reports.audit").joinpath("page", name).read_text(encoding="utf-8")


def _allowed(text: str) -> str:
    """The source expression by which a content security policy allows this one text."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _head(scope: Scope) -> Iterator[str]:
    style, script = _asset("page.css"), _asset("page.js")
    policy = f"default-src 'none'; style-src {_allowed(style)}; script-src {_allowed(script)}"
    yield "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
    yield f"<title>guestclock audit, {instant(scope.at)}</title>\n<style>{style}</style>\n</head>\n"
    yield "<body>\n<main>\n<h1>guestclock audit</h1>\n<p class='lead'>"
    yield f"{_safe(summary_line(scope.tally))}. Judged for a cold start at "
    yield f"<time datetime='{instant(scope.at)}'>{instant(scope.at)}</time>; errors below "
    yield f"{counted(scope.tolerance, 'second')} are none.</p>\n<ul class='tiles'>\n"
    for severity in Severity:
        yield _tile(scope.tally.severities[severity], f"{severity.value}s", severity.value)
    yield _tile(scope.tally.machines, "machines", "")
    yield _tile(scope.tally.unknown.total(), "not judged", "")
    yield _tile(scope.tally.unread, "not read", "")
    yield "</ul>\n"


def _tile(count: int, label: str, kind: str) -> str:
    kind = kind if count else "none"
    return f"<li class='tile {kind}'><strong>{count:,}</strong> <span>{label}</span></li>\n"


def _tools(tally: Tally) -> Iterator[str]:
    yield "<div class='tools' id='tools' role='search' hidden>\n"
    yield "<label class='unseen' for='search'>Search the findings</label>\n"
    yield "<input type='search' id='search' placeholder='Search machine, rule, zone, words'>\n"
    yield "<fieldset><legend>Severities</legend>\n"
    for severity in Severity:
        yield (
            f"<label class='chip'><input type='checkbox' name='severity' value='{severity.value}' "
            f"checked> {severity.value}s ({tally.severities[severity]:,})</label>\n"
        )
    yield "</fieldset>\n<span class='count' id='count' role='status'></span>\n</div>\n"
    yield "<div class='frame' tabindex='0' role='region' aria-label='Findings'>\n"
    yield "<table id='findings'>\n<caption class='unseen'>Findings</caption>\n<thead><tr>\n"
    for label, key in _HEADING:
        yield f"<th scope='col' aria-sort='none'><button type='button' data-key='{key}'>"
        yield f"{label}</button></th>\n"
    yield "<th scope='col'><span>Found</span></th>\n</tr></thead>\n<tbody>\n"


def _row(result: Audited, finding: Finding, name: str, tolerance: int) -> str:
    machine, seen = result.machine, result.judgement.outlook
    severity, error = finding.severity, value_of(seen.after_cold_start)
    after, kind = ("unknown", " unknown") if machine.kind in MACHINES else ("", "")
    if error is not None:
        after, kind = behind_or_ahead(error, tolerance), ""
    return (
        f"<tr data-severity='{severity.value}' data-rank='{severity.rank}' "
        f"data-machine={_quoted(machine.name)} "
        f"data-rule='{finding.rule}' data-error='{'' if error is None else error}'>"
        f"<td><span class='badge {severity.value}'>{severity.value}</span></td>"
        f"<th scope='row'>{_safe(machine.name)}<small>{_safe(machine.source)}</small></th>"
        f"<td class='rule'>{finding.rule}<small>{name}</small></td>"
        f"<td class='after{kind}'>{after}</td>"
        f"<td class='found'>{_safe(finding.observed)}{_details(result, finding)}</td></tr>\n"
    )


def _quoted(text: str) -> str:
    return f'"{_safe(text)}"'


def _details(result: Audited, finding: Finding) -> str:
    machine, seen = result.machine, result.judgement.outlook
    evidence = "".join(
        f"<li>{_safe(one.what)} <small>({one.how}: {_safe(one.where)})</small></li>"
        for one in finding.evidence
    )
    pairs = (
        ("Cure", _safe(finding.cure)),
        ("Expected", _safe(finding.expected)),
        ("Evidence", f"<ul>{evidence}</ul>"),
        ("Hop", finding.hop),
        ("Error now", _error(seen.now)),
        ("After a reset", _error(seen.after_reset)),
        ("After a cold start", _error(seen.after_cold_start)),
        ("Id", f"<code>{_safe(machine.id)}</code> ({_safe(machine.platform)})"),
    )
    body = "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in pairs)
    return f"<details><summary>Cure and evidence</summary><dl>{body}</dl></details>"


def _error(fact: Fact[int]) -> str:
    if isinstance(fact, Unknown):
        return f"unknown: {_safe(str(fact))}"
    return f"{fact.value:+d} s" if fact.value else "0 s"


def _tail(scope: Scope) -> Iterator[str]:
    unknown = scope.tally.unknown
    if unknown:
        yield f"<h2>Not judged: {counted(unknown.total(), 'machine')}</h2>\n<ul class='plain'>\n"
        for reason, count in unknown.most_common():
            yield f"<li><span class='figure'>{count:,}</span>: {_safe(reason)}</li>\n"
        yield "</ul>\n"
    fired: list[Rule] = [rule for rule in scope.rules if scope.tally.rules[rule.id]]
    if fired:
        yield "<h2>Rules</h2>\n<dl class='rules'>\n"
        for rule in fired:
            findings = counted(scope.tally.rules[rule.id], "finding")
            yield f"<dt>{rule.id} {rule.name}</dt><dd>{_safe(rule.summary)} {findings}; "
            yield f"<code>{page(rule.id)}</code></dd>\n"
        yield "</dl>\n"
    yield "<footer>Errors are the guest's idea of UTC minus true UTC. Times are UTC.</footer>\n"
    yield f"</main>\n<script>{_asset('page.js')}</script>\n</body>\n</html>\n"
