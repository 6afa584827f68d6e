"""The findings that an earlier audit had: its JSON report, of which the fingerprints count."""

from __future__ import annotations

from pathlib import Path

import msgspec

from guestclock.errors import UsageProblem


class _Finding(msgspec.Struct):
    fingerprint: str


class _Report(msgspec.Struct):
    findings: list[_Finding]


def load_baseline(path: str) -> frozenset[bytes]:
    """The fingerprints of a report, as bytes, which take half the memory of their digits.

    Raises UsageProblem for a file that is missing or is no report: with no baseline nothing that
    was asked for can be answered, so this is not one more source that could not be read.
    """
    try:
        report = msgspec.json.decode(Path(path).read_bytes(), type=_Report)
        return frozenset(bytes.fromhex(one.fingerprint) for one in report.findings)
    except OSError as problem:
        raise UsageProblem(f"{path}: {problem.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as problem:
        raise UsageProblem(
            f"{path} is no baseline: {problem}", "make one with: guestclock audit -f json -o FILE"
        ) from None
