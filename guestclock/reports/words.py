"""Errors and durations in words, as reports print them."""

from __future__ import annotations

from guestclock.words import behind_or_ahead, duration

__all__ = ["behind_or_ahead", "duration"]
