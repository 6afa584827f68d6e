"""The play on hosts without machines: what is printed and drawn of it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from lxml import etree

from guestclock.lab.cloud import Lab
from guestclock.lab.demo.cast import CAST
from guestclock.lab.demo.page import page
from guestclock.lab.demo.picture import in_hours, picture
from guestclock.lab.demo.stdout import print_scene, print_verdicts
from guestclock.lab.demo.story import STAGES, Shot, play
from tests.lab.cloud.fake import FakeGear

HOURS = 3600
CURED = [stage.title for stage in STAGES].index("cured")

Scenes = list[list[Shot]]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    folder = tmp_path_factory.mktemp("play") / "lab"
    with Lab(folder, gear=FakeGear(folder)) as lab:
        shots = list(play(lab))
        lab.destroy()
    return shots


def test_every_stage_has_a_shot_of_every_actor(scenes: Scenes) -> None:
    assert [shots[0].stage for shots in scenes] == list(STAGES)
    assert all(tuple(shot.actor for shot in shots) == CAST for shots in scenes)


def test_three_start_wrong_and_all_end_right(scenes: Scenes) -> None:
    assert [in_hours(shot.error) for shot in scenes[0]] == [
        "−8 h",
        "right",
        "−8 h",
        "right",
        "right",
        "+8 h",
    ]
    for shots in scenes[CURED:]:
        assert all(shot.right for shot in shots)


def test_what_is_set_lasts_until_the_first_cold_start(scenes: Scenes) -> None:
    assert [all(shot.right for shot in shots) for shots in scenes[:CURED]] == [
        False,
        True,
        True,
        False,
        False,
        False,
        False,
    ]


def test_every_cold_start_comes_out_as_foretold(scenes: Scenes) -> None:
    told = [shot.came_true for shots in scenes for shot in shots if shot.stage.cold]
    assert told == [True] * 5 * len(CAST)


def test_explain_says_that_the_user_alone_made_it_right(scenes: Scenes) -> None:
    said = scenes[1][0].explanation.verdict
    assert said == (
        "win1 will be 8 h behind after its next cold start; "
        "it is right now only because its user set it"
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (0, "right"),
        (-4, "right"),
        (7, "+7 s"),
        (-8 * HOURS, "−8 h"),
        (-8 * HOURS - 1, "−8 h"),
        (5 * HOURS + 1800, "+5:30 h"),
    ],
)
def test_errors_in_few_letters(error: int, text: str) -> None:
    assert in_hours(error) == text


def test_a_picture_has_a_dot_for_each_stage_and_a_wash_where_it_is_wrong(scenes: Scenes) -> None:
    drawn = etree.fromstring(picture([shots[0] for shots in scenes], 8 * HOURS + 1))
    assert drawn.tag == "svg"
    dots = drawn.findall("circle")
    wrong = [shots[0].right for shots in scenes].count(False)
    assert (len(dots), len(drawn.findall("rect"))) == (len(STAGES), wrong)
    heights = {float(dot.get("cy", "")) for dot in dots}
    assert len(heights) == 2
    assert [text.text for text in drawn.findall("text")][:5] == [
        "−8 h",
        "−4 h",
        "true",
        "+4 h",
        "+8 h",
    ]


class Outside(HTMLParser):
    """Collects whatever a page would fetch."""

    found: list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "link", "img", "iframe"):
            self.found.append(tag)
        self.found += [str(value) for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_nothing_but_itself(scenes: Scenes) -> None:
    text = page(scenes, 12.0)
    parser = Outside()
    parser.found = []
    parser.feed(text)
    assert parser.found == []
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_the_page_has_a_picture_of_each_and_each_stage(scenes: Scenes) -> None:
    text = page(scenes, 12.0)
    assert text.count("<svg") == len(CAST)
    assert len(re.findall(r'<li><div class="what">', text)) == len(CAST) * len(STAGES)
    assert "30 of 30" in text


def test_what_is_printed_says_all_of_it(scenes: Scenes, capsys: pytest.CaptureFixture[str]) -> None:
    for number, shots in enumerate(scenes, 1):
        print_scene(number, shots)
    print_verdicts(scenes)
    out = capsys.readouterr().out
    assert " 4  soft reboot           −8 h        right " in out
    assert "6 of 6 clocks are right in the end; 30 of 30 cold starts" in out
    assert "RealTimeIsUniversal set in its registry: win3 is right" in out
