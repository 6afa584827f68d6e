"""The play on a terminal: a line a stage as it goes, the verdicts at the end."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from guestclock.lab.demo.cast import CAST, Actor
from guestclock.lab.demo.picture import in_hours
from guestclock.lab.demo.story import Shot

_STAGE, _CELL = 22, 12
_WIDTH = 100


def _console() -> Console:
    # Made when it is used: standard output may be another by then.
    return Console(highlight=False, soft_wrap=True)


def print_title() -> None:
    """Print what is played, and the head of the table."""
    console = _console()
    console.print(
        "How far each guest's clock is from true time. Windows takes its RTC for local time,\n"
        "Linux for UTC; the server's os_type decides what the RTC starts from.\n"
    )
    lines = (
        [actor.name for actor in CAST],
        [actor.system for actor in CAST],
        [actor.os_type or "no os_type" for actor in CAST],
    )
    for number, words in enumerate(lines):
        line = Text(("" if number < 2 else "os_type").ljust(_STAGE + 4), style="dim")
        for word in words:
            line.append(word.ljust(_CELL), style="bold" if number == 0 else "dim")
        console.print(line)
    console.print("─" * (_STAGE + 4 + _CELL * len(CAST)), style="dim")


def print_scene(number: int, shots: Sequence[Shot]) -> None:
    """Print one stage."""
    line = Text(f"{number:2}  {shots[0].stage.title}".ljust(_STAGE + 4))
    for shot in shots:
        line.append(in_hours(shot.error).ljust(_CELL), style="green" if shot.right else "bold red")
    _console().print(line)


def print_verdicts(scenes: Sequence[Sequence[Shot]]) -> None:
    """Print what explain said of each machine, whenever that changed, and how it was cured."""
    console = _console()
    for column, actor in enumerate(CAST):
        console.print()
        console.print(Text(f"{actor.name}  {actor.system}, {actor.property}", style="bold"))
        _print_story(console, actor, [shots[column] for shots in scenes])
    foretold = [shot.came_true for shots in scenes for shot in shots if shot.came_true is not None]
    right = sum(shot.right for shot in scenes[-1])
    console.print(
        f"\n{right} of {len(CAST)} clocks are right in the end;"
        f" {sum(foretold)} of {len(foretold)} cold starts came out as explain had foretold."
    )


def _print_story(console: Console, actor: Actor, shots: Sequence[Shot]) -> None:
    said = ""
    for number, shot in enumerate(shots, 1):
        verdict = shot.explanation.verdict
        if verdict == said:
            continue
        said = verdict
        style = "green" if shot.explanation.fault is None else "red"
        console.print(Text.assemble((f"{number:2}  ", "dim"), (f"{shot.action}: ", "dim")), end="")
        console.print(Text(verdict, style=style))
