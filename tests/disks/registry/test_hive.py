"""Hives: what was written is read, from few bytes, as hivex reads it."""

from __future__ import annotations

import json
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guestclock.disks.budget import Budget, Limits
from guestclock.disks.problem import Damaged, OverLimit, RefusedReference, UnreadFormat
from guestclock.disks.registry.hive import open_hive
from guestclock.disks.registry.values import Value
from guestclock.disks.source import Memory
from tests.disks.builders.hive import (
    REG_DWORD_BIG_ENDIAN,
    REG_SZ,
    Key,
    binary,
    dword,
    expand,
    link,
    make_hive,
    multi,
    patched,
    qword,
    sealed,
    sz,
    tree,
    utf16,
)
from tests.disks.builders.hive import Value as Written
from tests.disks.registry.reading import meant, opened, told

LISTS = ("lf", "lh", "li", "ri", "ri-lf", "ri-li")
ZONE = "ControlSet001\\Control\\TimeZoneInformation"
SAMPLE = tree(
    {
        "Select": [dword("Current", 1)],
        ZONE: [
            dword("Bias", -60),
            sz("TimeZoneKeyName", "W. Europe Standard Time"),
            qword("RealTimeIsUniversal", 1),
            binary("Large", bytes(range(256)) * 200),
        ],
        **{f"Many\\Key{number}": [multi("Some", ["a", "b"])] for number in range(20)},
        "Übersicht\\Ключ": [expand("", "%SystemRoot%"), sz("Größe", "ß")],
    }
)

# hivex belongs to the system's own Python and to no other.
HIVEX = """
import hivex, json, sys
hive = hivex.Hivex(sys.argv[1])
found = {}
def walk(node, path):
    values = ((hive.value_key(one), *hive.value_value(one)) for one in hive.node_values(node))
    found[path] = [[name, type, data.hex()] for name, type, data in values]
    for below in hive.node_children(node):
        walk(below, path + "\\\\" + hive.node_name(below))
walk(hive.root(), "")
print(json.dumps(found))
"""


def value_of(*values: Written, name: str = "") -> Value:
    key = opened(make_hive(Key("ROOT", values))).key("")
    found = key.value(name or values[0].name) if key else None
    assert found is not None
    return found


@pytest.mark.parametrize("lists", LISTS)
def test_every_kind_of_list_is_read_as_hivex_reads_it(lists: str, tmp_path: Path) -> None:
    data = make_hive(SAMPLE, lists=lists)
    path = tmp_path / "SYSTEM"
    path.write_bytes(data)
    command = ["/usr/bin/python3", "-c", HIVEX, str(path)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    ours = told(opened(data).root)
    theirs = {
        key: [(name, kind, bytes.fromhex(content)) for name, kind, content in values]
        for key, values in json.loads(answer).items()
    }
    assert ours == theirs == meant(SAMPLE)


@pytest.mark.parametrize("lists", LISTS)
@pytest.mark.parametrize("minor", [3, 4, 5, 6])
def test_paths_are_found_in_any_case(lists: str, minor: int) -> None:
    hive = opened(make_hive(SAMPLE, lists=lists, minor=minor))
    for path in (ZONE, ZONE.lower(), f"\\{ZONE.upper()}\\", ZONE.replace("\\", "/")):
        key = hive.key(path)
        assert key is not None
        name = key.value("TIMEZONEKEYNAME")
        assert name is not None
        assert name.text() == "W. Europe Standard Time"
    assert hive.key("übersicht\\кЛЮЧ") is not None
    assert hive.key("ControlSet002") is None
    assert hive.key("Many\\Key2\\x") is None


_NAMES = st.text(st.characters(exclude_characters="\\/\0"), min_size=1, max_size=12)
_VALUES = st.lists(
    st.builds(Written, _NAMES, st.integers(0, 2**32 - 1), st.binary(max_size=40)),
    max_size=4,
    unique_by=lambda one: one.name.upper(),
)
_KEYS = st.recursive(
    st.builds(Key, _NAMES, _VALUES),
    lambda inner: st.builds(
        Key,
        _NAMES,
        _VALUES,
        st.lists(inner, max_size=5, unique_by=lambda one: one.name.upper()),
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(_KEYS, st.sampled_from(LISTS), st.booleans())
def test_any_tree_comes_back(root: Key, lists: str, wide: bool) -> None:
    hive = opened(make_hive(root, lists=lists, wide=wide))
    expected = meant(root)
    assert told(hive.root) == expected
    for path, values in expected.items():
        key = hive.key(path)
        assert key is not None
        for name, kind, data in values:
            value = key.value(name)
            assert value is not None
            assert (value.type, value.data) == (kind, data)


def test_little_is_read_of_a_large_hive() -> None:
    many = {f"Services\\Service{number}": [dword("Start", 2)] for number in range(5000)}
    data = make_hive(tree({**many, ZONE: [dword("Bias", -60)]}))
    read: list[int] = []

    class Counting(Memory):
        def read_at(self, offset: int, count: int) -> bytes:
            read.append(count)
            return super().read_at(offset, count)

    hive = open_hive(Counting(data), [], Budget())
    assert hive.key(ZONE) is not None
    assert hive.key("Services\\service4711") is not None
    assert len(data) > 700_000
    # The list of 5,000 services is most of it: eight bytes each.
    assert sum(read) < 45_000


def test_numbers_have_their_type_and_sign() -> None:
    assert value_of(dword("x", -60)).signed() == -60
    assert value_of(dword("x", -60)).dword() == 2**32 - 60
    assert value_of(Written("x", REG_DWORD_BIG_ENDIAN, b"\0\0\1\2")).dword() == 258
    assert value_of(Written("x", 4, b"\1\0\0\0\7\7")).dword() == 1
    assert value_of(Written("x", 4, b"\1\0")).dword() is None
    assert value_of(qword("x", 1)).dword() is None
    assert value_of(qword("x", 1)).type_name == "REG_QWORD"
    assert value_of(Written("x", 0x1234, b"")).type_name == "type 0x1234"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (utf16("Tokyo Standard Time\0junk\0"), "Tokyo Standard Time"),
        (utf16("no end"), "no end"),
        (utf16("odd\0") + b"x", "odd"),
        (utf16("half") + b"x", "half"),
        (utf16("\ud800x"), "\ufffdx"),
        (b"", ""),
    ],
)
def test_texts_end_at_their_nul(data: bytes, text: str) -> None:
    assert value_of(Written("x", REG_SZ, data)).text() == text


def test_only_texts_are_texts() -> None:
    assert value_of(expand("x", "%windir%")).text() == "%windir%"
    assert value_of(dword("x", 65)).text() is None
    assert value_of(multi("x", ["a", "bc"])).texts() == ["a", "bc"]
    assert value_of(Written("x", 7, utf16("a\0bc"))).texts() == ["a", "bc"]
    assert value_of(multi("x", [])).texts() == []
    assert value_of(sz("x", "a")).texts() == []


def test_the_time_of_writing_is_unix_time_within_bounds() -> None:
    assert opened(make_hive(Key("R", written=116444736000000000))).root.written == 0
    assert opened(make_hive(Key("R", written=0))).root.written == -11644473600
    assert opened(make_hive(Key("R", written=2**64 - 1))).root.written == 253402300799


def test_a_link_is_told_and_not_followed() -> None:
    target = "\\Registry\\Machine\\SYSTEM\\ControlSet001"
    root = Key("R", keys=(link("CurrentControlSet", target), Key("ControlSet001")))
    hive = opened(make_hive(root))
    assert [one.link for one in hive.root.keys()] == [False, True]  # noqa: SIM118
    with pytest.raises(RefusedReference, match="link"):
        hive.key("CurrentControlSet")
    with pytest.raises(RefusedReference, match="link"):
        hive.key("CurrentControlSet\\Control")


def test_large_data_are_bounded() -> None:
    data = make_hive(Key("R", (binary("x", bytes(50_000)),)))
    value = next(opened(data, limits=Limits(file=49_999)).root.values())
    with pytest.raises(OverLimit):
        _ = value.data


@pytest.mark.parametrize(("minor", "there"), [(5, True), (6, False)])
def test_a_deleted_value_of_a_layered_hive_is_none(minor: int, there: bool) -> None:
    data = make_hive(Key("R", (dword("x", 1),)), minor=minor)
    place = data.index(b"vk") + 16
    found = opened(patched(data, place, b"\3\0")).root.value("x")
    assert (found is not None) == there


def test_a_predefined_handle_has_no_values() -> None:
    data = make_hive(Key("R", (dword("x", 1),)))
    assert opened(patched(data, data.index(b"nk") + 2, b"\x60\0")).root.value("x") is None


_FIRST = 4096 + 32


@pytest.mark.parametrize(
    ("at", "new", "said"),
    [
        (0, b"fger", "no registry hive"),
        (28, b"\6", "transaction log"),
        (36, struct.pack("<I", 8), "head of a bin"),
        (36, struct.pack("<I", 34), "cannot be at 34"),
        (36, struct.pack("<I", 2**32 - 8), "cannot be at"),
        (4096, b"hbun", "no bins"),
        (4096 + 8, struct.pack("<I", 1 << 20), "bin at 0"),
        (_FIRST, struct.pack("<i", 80), "free cell"),
        (_FIRST, struct.pack("<i", -4), "cannot have 4 bytes"),
        (_FIRST, struct.pack("<i", -5000), "cannot have 5000 bytes"),
        (_FIRST, struct.pack("<i", -(2**31)), "cannot have"),
        (_FIRST + 4, b"kn", "no key"),
    ],
)
def test_a_broken_root_is_damage(at: int, new: bytes, said: str) -> None:
    data = make_hive(Key("R"))
    with pytest.raises(Damaged, match=said):
        opened(sealed(patched(data, at, new)))


@pytest.mark.parametrize(
    ("at", "new"),
    [
        (20, struct.pack("<I", 2)),
        (28, struct.pack("<I", 0xFFFFFFF0)),
        (36, struct.pack("<I", 3)),
        (36, struct.pack("<I", 0xFFFFFFFF)),
        (40, struct.pack("<I", 32)),
    ],
)
def test_lists_that_contradict_their_key_are_damage(at: int, new: bytes) -> None:
    data = make_hive(Key("R", (dword("x", 1),), (Key("below"),)))
    root = opened(patched(data, _FIRST + 4 + at, new)).root
    with pytest.raises(Damaged):
        told(root)


def test_a_list_of_lists_that_holds_itself_is_damage() -> None:
    data = make_hive(Key("R", keys=(Key("a"), Key("b"))), lists="ri")
    place = data.index(b"ri\1\0")
    own = struct.pack("<I", place - 4 - 4096)
    with pytest.raises(Damaged, match="kind"):
        opened(patched(data, place + 4, own)).key("a")


def test_a_key_that_is_its_own_child_ends_with_the_path() -> None:
    data = make_hive(Key("a", keys=(Key("a"),)), lists="li")
    place = data.index(b"li\1\0")
    hive = opened(patched(data, place + 4, struct.pack("<I", 32)))
    assert hive.key("a\\a\\a\\a") is not None
    with pytest.raises(OverLimit):
        hive.key("a\\" * 600)


@pytest.mark.parametrize(("at", "number"), [(20, 2), (24, 2), (24, 7)])
def test_other_versions_are_not_read(at: int, number: int) -> None:
    data = sealed(patched(make_hive(Key("R")), at, struct.pack("<I", number)))
    with pytest.raises(UnreadFormat, match="version"):
        opened(data)


def test_a_hive_cut_short_is_damage() -> None:
    with pytest.raises(Damaged):
        opened(make_hive(Key("R"))[:4100])
    with pytest.raises(Damaged):
        opened(b"regf")
    with pytest.raises(Damaged):
        opened(b"")
