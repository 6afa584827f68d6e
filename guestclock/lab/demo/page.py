"""The demo's report: one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

from guestclock import __version__
from guestclock.explanation import Explanation
from guestclock.lab.demo.cast import CAST, Actor
from guestclock.lab.demo.picture import in_hours, picture
from guestclock.lab.demo.story import STAGES, Shot

_HERE = Path(__file__).parent


def page(scenes: Sequence[Sequence[Shot]], seconds: float) -> str:
    """Return the report on a play, of which `scenes` are the shots stage by stage."""
    by_actor = {
        actor.name: [shot for shots in scenes for shot in shots if shot.actor == actor]
        for actor in CAST
    }
    most = max(abs(shot.error) for shots in scenes for shot in shots)
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    body = "".join(
        (
            _head(scenes, seconds),
            "<h2>How far each clock was off</h2>",
            _legend(),
            '<div class="grid">',
            *(_card(actor, by_actor[actor.name], most) for actor in CAST),
            "</div>",
            "<h2>Stage by stage</h2>",
            _table(scenes),
            "<h2>What explain said</h2>",
            *(_story(actor, by_actor[actor.name]) for actor in CAST),
            _foot(scenes),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>A machine loses its time</title><style>{style}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _head(scenes: Sequence[Sequence[Shot]], seconds: float) -> str:
    shots = [shot for shots in scenes for shot in shots]
    foretold = [shot.came_true for shot in shots if shot.came_true is not None]
    first = shots[0].trace
    facts = (
        ("machines, all real", str(len(CAST))),
        ("readings of running guests", str(len(shots))),
        ("cold starts foretold", f"{sum(foretold)} of {len(foretold)}"),
        ("hypervisor", "libvirt and QEMU" if first.hypervisor == "libvirt" else "QEMU"),
        ("host zone", first.host_zone),
        ("played in", f"{seconds:.0f} s"),
    )
    rows = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    return (
        "<header><h1>A machine loses its time, and gets it back</h1>"
        '<p class="lead">The user of a Windows guest sets its clock right. That survives a reboot '
        "from inside, but after the next one from outside it is eight hours behind again. The "
        "cause sits four hops away: an image property, copied once into the server, decides what "
        "the virtual clock starts from, in each new QEMU process anew.</p>"
        f'<dl class="facts">{rows}</dl></header>'
    )


def _legend() -> str:
    stages = " ".join(
        f"<span><b>{number}</b>{stage.title}</span>" for number, stage in enumerate(STAGES, 1)
    )
    return f'<p class="legend">{stages}</p>'


def _card(actor: Actor, shots: Sequence[Shot], most: int) -> str:
    cure = next(shot for shot in shots if shot.stage.title == "cured").action
    note = f"{actor.property}; {cure}" if actor.cure else f"{actor.property}; always right"
    return (
        f'<div class="card"><header><h3>{actor.name}, {actor.system}</h3>'
        f"{_change(shots)}</header><p>{escape(note)}</p>{picture(shots, most)}</div>"
    )


def _badge(shot: Shot) -> str:
    kind = "good" if shot.right else "bad"
    return f'<span class="badge {kind}">{in_hours(shot.error)}</span>'


def _change(shots: Sequence[Shot]) -> str:
    first, last = _badge(shots[0]), _badge(shots[-1])
    return last if first == last else f'<span class="change">{first} → {last}</span>'


def _table(scenes: Sequence[Sequence[Shot]]) -> str:
    heads = "".join(f"<th>{actor.name}<span>{escape(actor.property)}</span></th>" for actor in CAST)
    lines = []
    for number, shots in enumerate(scenes, 1):
        stage = shots[0].stage
        cells = "".join(f"<td>{_badge(shot)}{_own_action(shot)}</td>" for shot in shots)
        lines.append(
            f'<tr><td class="number">{number}</td>'
            f"<td>{escape(stage.title)}<small>{escape(stage.note)}</small></td>{cells}</tr>"
        )
    return (
        '<div class="scroll"><table><thead><tr><th></th><th>Stage</th>'
        f"{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _own_action(shot: Shot) -> str:
    """What was done to this server and not to all."""
    if shot.actor.cure is None or shot.stage.title not in _OWN:
        return ""
    return f"<small>{escape(shot.action)}</small>"


_OWN = ("set by its user", "image corrected", "cured")


def _story(actor: Actor, shots: Sequence[Shot]) -> str:
    before: list[Shot | None] = [None, *shots]
    items = "".join(
        _moment(number, shot, last)
        for number, (last, shot) in enumerate(pairwise(before), 1)
        if shot is not None
    )
    return (
        f'<section class="card"><header><h3>{actor.name}: {actor.system}, '
        f"{escape(actor.property)}</h3></header>"
        f'<ol class="story">{items}</ol></section>'
    )


def _moment(number: int, shot: Shot, last: Shot | None) -> str:
    clock = shot.trace.clock
    assert clock.guest is not None
    assert clock.true_local is not None
    times = f"shows {clock.guest.local:%H:%M:%S} at {clock.true_local:%H:%M:%S}"
    rtc = f"-rtc {shot.trace.rtc_arguments}"
    what = (
        f'<div class="what"><span class="quiet">{number}</span><b>{escape(shot.action)}</b>'
        f'{_badge(shot)}<span class="quiet">{times} · <code>{escape(rtc)}</code></span></div>'
    )
    said = shot.explanation.verdict
    if last is not None and last.explanation.verdict == said:
        return f"<li>{what}</li>"
    return f"<li>{what}<p>{escape(said)}.</p>{_hops(shot.explanation)}</li>"


def _hops(explanation: Explanation) -> str:
    rows = "".join(
        f"<tr><td>{escape(hop.name)}</td>"
        f"<td{' class=wrong' if hop.wrong else ''}>{escape(hop.says)}</td>"
        f"<td>{escape(hop.should) if hop.wrong else ''}</td></tr>"
        for hop in explanation.hops
    )
    return (
        "<details><summary>hop by hop</summary><table><thead><tr><th>hop</th><th>says</th>"
        f"<th>should say</th></tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _foot(scenes: Sequence[Sequence[Shot]]) -> str:
    begin = scenes[0][0].trace.clock.true_utc
    end = scenes[-1][-1].trace.clock.true_utc
    return (
        "<footer>Errors are the guest's own idea of UTC minus true UTC, read from each running "
        "guest over its serial port; below 5 seconds is none, as an RTC has whole seconds. "
        f"The play's clock went from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC. "
        f"Made by <code>guestclock demo</code> {__version__}.</footer>"
    )
