"""A guest's clock error over the stages of the play, as one inline SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from guestclock.lab.demo.story import TOLERANCE, Shot

_WIDTH, _HEIGHT = 380, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 4, 4, 24
_HOUR = 3600


def picture(shots: Sequence[Shot], most: int) -> str:
    """Draw one guest's shots; `most` is the largest error (seconds) of all, for a common scale."""
    hours = max(1, -(-(most - TOLERANCE) // _HOUR)) + 1
    step = (_WIDTH - _LEFT - _RIGHT) / len(shots)

    def x(number: float) -> float:
        return _LEFT + number * step

    def y(seconds: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (1 - (seconds / _HOUR + hours) / (2 * hours))

    parts = [_grid(x, y, hours, len(shots))]
    errors = [shot.error for shot in shots]
    for number, error in enumerate(errors):
        if abs(error) >= TOLERANCE:
            top, bottom = sorted((y(error), y(0)))
            parts.append(
                f'<rect class="off" x="{x(number):.1f}" y="{top:.1f}" width="{step:.1f}"'
                f' height="{bottom - top:.1f}"/>'
            )
    path = f"M{x(0):.1f} {y(errors[0]):.1f}"
    for number, error in enumerate(errors):
        path += f"V{y(error):.1f}H{x(number + 1):.1f}"
    parts.append(f'<path class="line" d="{path}"/>')
    for number, shot in enumerate(shots):
        colour = "good" if shot.right else "bad"
        parts.append(
            f'<circle class="{colour}" cx="{x(number + 0.5):.1f}" cy="{y(shot.error):.1f}" r="4">'
            f"<title>{escape(f'{shot.stage.title}: {in_hours(shot.error)}')}</title></circle>"
        )
    label = ", ".join(f"{shot.stage.title} {in_hours(shot.error)}" for shot in shots)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _grid(x: Callable[[float], float], y: Callable[[float], float], hours: int, stages: int) -> str:
    right = _WIDTH - _RIGHT
    parts = []
    every = max(1, (hours - 1) // 2)
    top = (hours - 1) // every * every
    for hour in range(-top, top + 1, every):
        kind = "true" if hour == 0 else "rule"
        height = f"{y(hour * _HOUR):.1f}"
        parts.append(
            f'<line class="{kind}" x1="{_LEFT}" y1="{height}" x2="{right}" y2="{height}"/>'
            f'<text x="{_LEFT - 6}" y="{height}" dy=".35em" text-anchor="end">'
            f"{'true' if hour == 0 else f'{hour:+d} h'.replace('-', '−')}</text>"
        )
    below = f'y="{_HEIGHT - 8}" text-anchor="middle"'
    parts += [f'<text x="{x(n + 0.5):.1f}" {below}>{n + 1}</text>' for n in range(stages)]
    return "".join(parts)


def in_hours(error: int) -> str:
    """An error in words for a small place: "right", "−8 h", "+0:30 h"."""
    if abs(error) < TOLERANCE:
        return "right"
    sign = "−" if error < 0 else "+"
    minutes = round(abs(error) / 60)
    if not minutes:
        return f"{sign}{abs(error)} s"
    hours, rest = divmod(minutes, 60)
    return f"{sign}{hours}:{rest:02d} h" if rest else f"{sign}{hours} h"
