"""One JSON object, streamed: `{"findings": [...], "unread": [...], "summary": {...}}`.

Equal machines share all of a finding but machine and fingerprint, so the rest is rendered once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import TextIO

import msgspec

from guestclock.audit import Audited, Judgement, Passing, fingerprint
from guestclock.platforms.interface import Unread
from guestclock.reports.audit.interface import Scope
from guestclock.reports.audit.record import finding_record, summary_record
from guestclock.reports.records import machine_record

_REMEMBERED = 4096
# Characters: a report of some files is not worth a file of its own.
_SPOOLED = 1 << 20


def report(results: Iterable[Passing], scope: Scope, stream: TextIO) -> None:
    """Writes the object; what could not be read waits in a temporary file for its turn."""
    rendered = _Rendered()
    with tempfile.SpooledTemporaryFile(_SPOOLED, "w+", encoding="utf-8") as unread:
        stream.write('{"findings":[')
        separator = "\n"
        for result in scope.tally.count(results):
            if isinstance(result, Unread):
                mark = ",\n" if scope.tally.unread > 1 else "\n"
                record = {"source": result.source, "reason": result.reason}
                unread.write(mark + encode(record))
                continue
            for text in rendered.findings(result):
                stream.write(separator)
                stream.write(text)
                separator = ",\n"
        stream.write('],\n"unread":[')
        unread.seek(0)
        while chunk := unread.read(1 << 16):
            stream.write(chunk)
        stream.write(f'],\n"summary":{encode(summary_record(scope.tally))}}}\n')


def encode(record: object) -> str:
    """A record as JSON text in one line."""
    return msgspec.json.encode(record).decode()


class _Rendered:
    """The texts of findings before and after their machine, each rendered once."""

    def __init__(self) -> None:
        # With its judgement, which has to live for the id to stay its own.
        self._texts: dict[int, tuple[Judgement, dict[int, tuple[str, str]]]] = {}

    def findings(self, result: Audited) -> Iterator[str]:
        """Each finding of a machine as JSON."""
        if not result.findings:
            return
        kept = self._texts.get(id(result.judgement))
        texts = self._render(result.judgement) if kept is None else kept[1]
        machine = encode(machine_record(result.machine))
        for finding in result.findings:
            before, after = texts[id(finding)]
            yield f'{before}{machine}{after}{fingerprint(result.machine, finding)}"}}'

    def _render(self, judgement: Judgement) -> dict[int, tuple[str, str]]:
        if len(self._texts) >= _REMEMBERED:
            self._texts.clear()
        texts = {}
        for finding in judgement.findings:
            record = finding_record(finding, judgement.outlook)
            first = {key: record.pop(key) for key in ("rule", "severity")}
            before = f'{encode(first)[:-1]},"machine":'
            texts[id(finding)] = (before, f',{encode(record)[1:-1]},"fingerprint":"')
        self._texts[id(judgement)] = (judgement, texts)
        return texts
