"""Why a disk, or a part of it, says nothing: a small vocabulary, and a sentence for people.

Every reader raises one of these and nothing else for whatever bytes it is given. What is caught
becomes a `reason` of the answer; a part that could not be read is never taken for one that says
UTC.
"""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """The documented words for why something is unknown (docs/guide/inspect.md)."""

    NO_OS = "no-os"
    EMPTY = "empty"
    NOT_AN_IMAGE = "not-an-image"
    DAMAGED = "damaged"
    REFUSED_REFERENCE = "refused-reference"
    ENCRYPTED = "encrypted"
    UNREAD_FILESYSTEM = "unread-filesystem"
    UNREAD_VOLUME = "unread-volume"
    UNREAD_FORMAT = "unread-format"
    NO_CURRENT_CONTROL_SET = "no-current-control-set"
    NOT_RECORDED = "not-recorded"
    AMBIGUOUS = "ambiguous"
    LIMIT = "limit"
    UNREACHABLE = "unreachable"
    FAULT = "fault"


FAILURES = frozenset(
    (
        Reason.DAMAGED,
        Reason.FAULT,
        Reason.LIMIT,
        Reason.NOT_AN_IMAGE,
        Reason.REFUSED_REFERENCE,
        Reason.UNREACHABLE,
        Reason.UNREAD_FORMAT,
    )
)
"""Reasons that make a whole image unread (exit code 3); the others are answers."""


class DiskProblem(Exception):
    """Something of a disk cannot be read; `detail` is one lower-case line for people."""

    reason: Reason

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Damaged(DiskProblem):
    """The bytes contradict their format: a wrong checksum, a loop, an offset beyond the end."""

    reason = Reason.DAMAGED


class Encrypted(DiskProblem):
    """The bytes need a key."""

    reason = Reason.ENCRYPTED


class RefusedReference(DiskProblem):
    """The image names another file or address, which is not opened for it."""

    reason = Reason.REFUSED_REFERENCE


class Empty(DiskProblem):
    """Not a byte is there."""

    reason = Reason.EMPTY


class NotAnImage(DiskProblem):
    """No disk image at all: a folder, a compressed stream, a text."""

    reason = Reason.NOT_AN_IMAGE


class UnreadFormat(DiskProblem):
    """A container format, or a part of one, that is not read here; its name is in the detail."""

    reason = Reason.UNREAD_FORMAT


class UnreadVolume(DiskProblem):
    """A volume manager, or a layout of one, that is not read here."""

    reason = Reason.UNREAD_VOLUME


class UnreadFilesystem(DiskProblem):
    """A file system, or a feature of one, that is not read here."""

    reason = Reason.UNREAD_FILESYSTEM


class OverLimit(DiskProblem):
    """A limit of reading was reached: bytes, time, depth, number of entries."""

    reason = Reason.LIMIT


class Unreachable(DiskProblem):
    """The bytes could not be had: an I/O error, a server that gives no ranges."""

    reason = Reason.UNREACHABLE
