from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from guestclock.platforms.seen import Paths, Seen

paths = st.text(st.characters(exclude_characters="\0"), min_size=1)


@given(st.lists(st.tuples(st.text(), paths)))
def test_an_id_is_found_where_it_was_first(read: list[tuple[str, str]]) -> None:
    seen, expected = Seen(), dict[str, str]()
    for identity, path in read:
        assert seen.first(identity, path) == expected.get(identity)
        expected.setdefault(identity, path)


def test_paths_are_found_by_their_number_in_any_block() -> None:
    kept = Paths()
    numbers = [kept.append(f"/fleet/{number}\udcfc.xml") for number in range(2000)]
    assert numbers == list(range(2000))
    assert all(kept[number] == f"/fleet/{number}\udcfc.xml" for number in numbers)


def test_the_same_path_in_a_row_is_kept_once() -> None:
    kept = Paths()
    assert [kept.append(path) for path in ("a", "a", "b", "a")] == [0, 0, 1, 2]


MANY = """
import resource
from guestclock.platforms.seen import Seen
seen = Seen()
for number in range(1000):
    seen.first(str(number), f"/srv/domains/rack-7/instance-{number:08x}.xml")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(200_000):
    seen.first(str(number), f"/srv/domains/rack-7/instance-{number:08x}.xml")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_large_fleet_is_remembered_in_little_memory() -> None:
    out = subprocess.run([sys.executable, "-c", MANY], check=True, capture_output=True, text=True)
    assert int(out.stdout) < 12
