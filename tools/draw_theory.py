"""Draws the pictures of docs/theory.md; every figure in them is computed by the law itself.

python tools/draw_theory.py            writes docs/img/*.svg
python tools/draw_theory.py --check    fails where one is not up to date
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path

from guestclock.clock import Base, Clock, Utc, Variable, Zone
from guestclock.databases import packaged_database, windows_zone_map
from guestclock.evidence import Observed, value_of
from guestclock.guest import Guest
from guestclock.law import Host
from guestclock.lifecycle import PowerOn, Reset, State, Step, Stop, WriteRtc
from guestclock.prediction import predict
from guestclock.zones import WindowsMap, Zones

FOLDER = Path(__file__).parent.parent / "docs" / "img"
INK, GREY, FAINT, PAPER = "#1f2933", "#66727f", "#d9dee3", "#ffffff"
RED, BLUE, GREEN, AMBER = "#c0392b", "#2563a8", "#2f855a", "#b7791f"
STYLE = (
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:14px;"
    f"fill:{INK}}}.small{{font-size:12px;fill:{GREY}}}.head{{font-weight:600}}"
    ".code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12.5px}"
)


@dataclass(frozen=True, slots=True)
class Point:
    """Where something stands, in pixels from the upper left."""

    x: float
    y: float


class Picture:
    """An SVG that grows by what is drawn on it."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            f"<title>{escape(title)}</title><style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" rx="10" fill="{PAPER}"/>',
        ]

    def text(self, at: Point, words: str, kind: str = "", **style: str) -> None:
        """Words that begin at a point; anchor="middle" centres them there."""
        anchor = style.pop("anchor", "start")
        more = "".join(f";{key}:{value}" for key, value in style.items())
        self._parts.append(
            f'<text x="{at.x:g}" y="{at.y:g}" class="{kind}" '
            f'style="text-anchor:{anchor}{more}">{escape(words)}</text>'
        )

    def line(self, points: Iterable[Point], colour: str, width: float = 1, dash: str = "") -> None:
        """A line through points."""
        path = " ".join(f"{one.x:g},{one.y:g}" for one in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
            f'stroke-linejoin="round" stroke-linecap="round"{dashed}/>'
        )

    def dot(self, at: Point, colour: str, radius: float = 6) -> None:
        """A filled dot with a rim of paper, so that it stands off a line below it."""
        self._parts.append(
            f'<circle cx="{at.x:g}" cy="{at.y:g}" r="{radius:g}" fill="{colour}" '
            f'stroke="{PAPER}" stroke-width="2"/>'
        )

    def box(self, at: Point, width: float, height: float, colour: str, fill: str = PAPER) -> None:
        """A box with round corners; the point is its upper left."""
        self._parts.append(
            f'<rect x="{at.x:g}" y="{at.y:g}" width="{width:g}" height="{height:g}" rx="7" '
            f'fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'
        )

    def arrow(self, start: Point, end: Point, colour: str, width: float = 1.5) -> None:
        """A level arrow."""
        side = 5 if end.x > start.x else -5
        self.line([start, end], colour, width)
        head = [Point(end.x - side, end.y - 4), end, Point(end.x - side, end.y + 4)]
        self.line(head, colour, width)

    def svg(self) -> str:
        """The picture's text."""
        return "\n".join([*self._parts, "</svg>", ""])


def zones() -> Zones:
    """One database for all, so that the pictures are the same on every system."""
    packaged = packaged_database()
    return Zones(packaged, packaged, packaged, WindowsMap(windows_zone_map()))


def machine(base: Base, guest: Guest) -> State:
    """A machine that is off, on a host in UTC."""
    return State(Clock(base), Host(Observed("UTC", "the picture")), guest)


def windows(zone: str, system: str = "windows") -> Guest:
    """A Windows guest in a zone."""
    return Guest(system, Observed(zone, "the picture"))


def errors(state: State, steps: Iterable[Step]) -> list[float | None]:
    """The error in hours after each step, None while the machine is off."""
    seconds = (value_of(one.error) for one in predict(state, steps, zones()))
    return [None if one is None else one / 3600 for one in seconds]


def hops() -> Picture:
    """The way of a fact from the image to the guest."""
    picture = Picture(880, 190, "The hops from an image's property to a guest's clock")
    chain = (
        ("image", "os_type=windows", "Glance"),
        ("instance", "os_type", "Nova, at creation"),
        ("domain", "<clock offset=…>", "libvirt, at each start"),
        ("process", "-rtc base=…", "QEMU, once in its life"),
        ("guest", "reads its RTC", "at each boot"),
    )
    for index, (name, value, who) in enumerate(chain):
        left = 20 + index * 172
        picture.box(Point(left, 50), 144, 66, BLUE, "#f3f7fb")
        picture.text(Point(left + 72, 76), name, "head", anchor="middle")
        picture.text(Point(left + 72, 100), value, "code", anchor="middle")
        picture.text(Point(left + 72, 138), who, "small", anchor="middle")
        if index:
            picture.arrow(Point(left - 25, 83), Point(left - 4, 83), GREY)
    picture.text(Point(20, 30), "Five places, and each can lose the fact", "head")
    note = "What a guest writes into its RTC lives in the process alone, and ends with it."
    picture.text(Point(20, 172), note, "small")
    return picture


def law() -> Picture:
    """The subtraction on a line of hours, for two clocks."""
    picture = Picture(880, 300, "The law: error = rtc_offset - assumed_offset")
    picture.text(Point(20, 32), "A Windows guest in Shanghai takes its RTC to be 8 h ahead", "head")
    at = datetime(2026, 6, 22, 2, tzinfo=UTC)
    for row, base, label in (
        (0, Utc(), "clock: utc"),
        (1, Zone("Asia/Shanghai"), "clock: timezone"),
    ):
        (error,) = errors(machine(base, windows("Asia/Shanghai")), [PowerOn(at)])
        assert error is not None
        top = 100 + row * 110
        rtc = 8 + error

        def x(hours: float) -> float:
            return 270 + 55 * hours

        picture.text(Point(20, top + 5), label, "code")
        picture.line([Point(x(-2), top), Point(x(10), top)], FAINT, 2)
        for hour in range(-2, 11, 2):
            picture.line([Point(x(hour), top - 4), Point(x(hour), top + 4)], FAINT, 2)
            picture.text(
                Point(x(hour), top + 22),
                f"{hour:+d} h" if hour else "UTC",
                "small",
                anchor="middle",
            )
        if error:
            picture.arrow(Point(x(8) - 10, top), Point(x(rtc) + 10, top), RED, 3)
            words = f"error = {rtc:g} h - 8 h = {error:g} h".replace("-", "\N{MINUS SIGN}")
            picture.text(Point(x(4), top - 12), words, "head", anchor="middle", fill=RED)
        else:
            picture.text(Point(x(4), top - 12), "error = 0", "head", anchor="middle", fill=GREEN)
        picture.dot(Point(x(8), top), AMBER, 9)
        picture.dot(Point(x(rtc), top), BLUE)
    legend = ((BLUE, "rtc_offset: RTC minus UTC"), (AMBER, "assumed_offset: what it is taken for"))
    for index, (colour, words) in enumerate(legend):
        picture.dot(Point(308 + 240 * index, 272), colour)
        picture.text(Point(322 + 240 * index, 277), words, "small")
    return picture


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a chart: its name, its colour, its values in hours, None where it is off."""

    name: str
    colour: str
    values: Sequence[float | None]
    dash: str = ""


def chart(title: str, columns: Sequence[str], series: Sequence[Series], note: str) -> Picture:
    """Errors as steps over columns of equal width; equal lines lie beside each other."""
    left, right, top, bottom = 70, 620, 64, 250
    picture = Picture(880, 316, title)
    picture.text(Point(20, 32), title, "head")
    values = [value for one in series for value in one.values if value is not None]
    low, high = min([*values, 0]), max([*values, 0])
    wide = (right - left) / len(columns)

    def y(hours: float) -> float:
        return bottom - 12 - (hours - low) / (high - low) * (bottom - top - 24)

    for hours in sorted({low, 0, high}):
        picture.line([Point(left, y(hours)), Point(right, y(hours))], FAINT, 1)
        label = f"{hours:+g} h" if hours else "right"
        picture.text(Point(left - 8, y(hours) + 4), label, "small", anchor="end")
    for index, name in enumerate(columns):
        picture.text(
            Point(left + wide * (index + 0.5), bottom + 18), name, "small", anchor="middle"
        )
    for index, one in enumerate(series):
        shift = 4 * (index - (len(series) - 1) / 2)
        run: list[Point] = []
        for column, value in enumerate(one.values):
            if value is None:
                picture.line(run, one.colour, 3, one.dash)
                run = []
                continue
            level = y(value) + shift
            run += [Point(left + wide * column, level), Point(left + wide * (column + 1), level)]
        picture.line(run, one.colour, 3, one.dash)
        picture.line([Point(650, 84 + 34 * index), Point(676, 84 + 34 * index)], one.colour, 4)
        picture.text(Point(686, 89 + 34 * index), one.name)
    picture.text(Point(20, 300), note, "small")
    return picture


def life() -> Picture:
    """A guest that its user sets right, through a reset and two cold starts."""
    at = datetime(2026, 6, 22, 2, tzinfo=UTC)
    minute = timedelta(minutes=1)

    def line(name: str, colour: str, base: Base) -> Series:
        written = datetime(2026, 6, 22, 10, 1)
        off = Stop(at + 3 * minute)
        steps: list[Step] = [PowerOn(at), WriteRtc(at + minute, written), Reset(at + 2 * minute)]
        found = errors(
            machine(base, windows("Asia/Shanghai")), [*steps, off, PowerOn(at + 60 * minute)]
        )
        return Series(name, colour, [found[0], found[1], found[2], found[4]])

    return chart(
        "A guest reboot keeps what the user set; a cold start does not",
        ("start", "user sets it", "guest reboots", "cold start"),
        (
            line("utc", RED, Utc()),
            line("timezone Asia/Shanghai", GREEN, Zone("Asia/Shanghai")),
            line("variable +28800", BLUE, Variable(28800)),
        ),
        "Windows in Asia/Shanghai, error of its clock at each step.",
    )


def summer() -> Picture:
    """A guest that was off since January, by the month in which it is started."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

    def line(name: str, colour: str, base: Base, system: str) -> Series:
        values = []
        for month in range(1, 13):
            seen = datetime(2027, 1, 10, tzinfo=UTC)
            again = PowerOn(datetime(2027, month, 15, tzinfo=UTC))
            steps: list[Step] = [PowerOn(seen), Stop(seen + timedelta(hours=1)), again]
            values.append(errors(machine(base, windows("Europe/Berlin", system)), steps)[-1])
        return Series(name, colour, values)

    return chart(
        "Off over a change of summer time: the error of the first boot",
        months,
        (
            line("utc", RED, Utc(), "windows"),
            line("timezone Europe/Berlin", AMBER, Zone("Europe/Berlin"), "windows"),
            line("variable +3600", BLUE, Variable(3600), "windows"),
            line("utc, RealTimeIsUniversal", GREEN, Utc(), "windows-universal"),
        ),
        "Windows in Europe/Berlin that last ran in January 2027, by the month of its next start.",
    )


def main() -> None:
    """Writes the pictures, or compares them."""
    check = sys.argv[1:] == ["--check"]
    for draw in (hops, law, life, summer):
        path, text = FOLDER / f"{draw.__name__}.svg", draw().svg()
        if not check:
            path.write_text(text, encoding="utf-8")
        elif path.read_text(encoding="utf-8") != text:
            sys.exit(f"{path.name} is not what the law draws: run {Path(__file__).name}")


if __name__ == "__main__":
    main()
