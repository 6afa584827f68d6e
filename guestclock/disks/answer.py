"""Whether what a reader's process answered is a record: it has seen hostile bytes, we believe
nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard

from guestclock.disks.problem import Reason

if TYPE_CHECKING:
    from guestclock.disks.record import ImageRecord

_REASONS = frozenset(one.value for one in Reason)
_RTC = frozenset(("utc", "local", "unknown"))
_PAIR = 2


def _words(*keys: str) -> dict[str, Any]:
    return dict.fromkeys(keys, str)


def _reason(value: object) -> bool:
    return isinstance(value, str) and value in _REASONS


def _reason_or_none(value: object) -> bool:
    return value is None or _reason(value)


def _rtc(value: object) -> bool:
    return isinstance(value, str) and value in _RTC


def _pair(value: object) -> bool:
    return (
        isinstance(value, list) and len(value) == _PAIR and all(type(one) is int for one in value)
    )


# A shape is a type, a tuple of shapes of which one has to fit, a list of one shape, a function,
# or the keys of an object, all of which have to be there and no others.
_NUMBER = (int, type(None))
_RULES = {"offsets": [_pair], "until": int}
_SYSTEM = {
    **_words("family", "name", "id"),
    "version": (str, type(None)),
    "rtc": _rtc,
    "zone": (str, type(None)),
    "active_time_bias_minutes": _NUMBER,
    "real_time_is_universal": (bool, type(None)),
    "utc_offset_minutes": _NUMBER,
    "reason": _reason_or_none,
    "place": _words("volume", "filesystem", "base"),
    "details": dict,
    "zone_rules": (_RULES, type(None)),
    "evidence": [_words("what", "path", "key", "type", "raw")],
    "unknown": [{**_words("what", "detail"), "reason": _reason}],
    "remarks": [_words("code", "text")],
    "names": dict,
}
_IMAGE = {
    "path": str,
    "format": (str, type(None)),
    "systems": [_SYSTEM],
    "unread": [{**_words("volume", "detail"), "reason": _reason}],
    "remarks": [_words("code", "text")],
    "unknown": _reason_or_none,
    "detail": str,
}


def is_record(value: object) -> TypeGuard[ImageRecord]:
    """Whether it has the keys and the types of an image's record, and no others."""
    return _fits(value, _IMAGE)


def is_reason(value: object) -> TypeGuard[str]:
    """Whether it is one of the documented words."""
    return _reason(value)


def _fits(value: object, shape: Any) -> bool:  # noqa: ANN401 - of several kinds, see above
    if isinstance(shape, type):
        # True is an int for Python, and no number here.
        return type(value) is shape
    if isinstance(shape, tuple):
        return any(_fits(value, one) for one in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        return (
            isinstance(value, dict)
            and value.keys() == shape.keys()
            and all(_fits(value[key], one) for key, one in shape.items())
        )
    return bool(shape(value))
