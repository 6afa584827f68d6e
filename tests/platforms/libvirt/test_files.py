from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from guestclock.machine import Machine
from guestclock.platforms.interface import Read, Unread
from guestclock.platforms.libvirt.files import LARGEST, DomainFiles, FileReader, walk
from guestclock.platforms.surroundings import Surroundings
from tests.platforms.libvirt.folder import GOOD, Write, collect, names


def only(collected: list[Read]) -> Unread:
    [one] = collected
    assert isinstance(one, Unread), one
    return one


def test_a_folder_is_read_with_its_folders_sorted_by_path(tmp_path: Path, write: Write) -> None:
    for number, name in enumerate(("b.xml", "a/z.xml", "a.xml", "a/b/c.xml", "a-b.XML")):
        write(name, GOOD.format(name, number))
    found = collect(tmp_path)
    assert names(found) == ["a-b.XML", "a.xml", "a/b/c.xml", "a/z.xml", "b.xml"]
    sources = [one.identity.source for one in found if isinstance(one, Machine)]
    assert sources == sorted(sources)


def test_what_is_no_xml_in_a_folder_is_passed_over_but_read_when_named(
    tmp_path: Path, write: Write
) -> None:
    write("disk.qcow2", b"QFI\xfb")
    notes = write("notes.txt", "buy milk")
    dump = write("dump", GOOD.format("vm", 1))
    assert collect(tmp_path) == []
    assert "not well-formed XML" in only(collect(notes)).reason
    assert names(collect(dump)) == ["vm"]


def test_the_same_uuid_twice_is_judged_once_and_the_other_named(
    tmp_path: Path, write: Write
) -> None:
    write("a.xml", GOOD.format("first", 7))
    write("b.xml", GOOD.format("second", 7))
    write("c.xml", GOOD.format("third", 8))
    first, second, third = collect(tmp_path)
    assert isinstance(first, Machine)
    assert isinstance(third, Machine)
    assert second == Unread(
        f"{tmp_path}/b.xml",
        f"the same uuid as in {tmp_path}/a.xml, which is judged: keep one of them",
    )


def test_the_same_uuid_twice_in_a_file(write: Write) -> None:
    both = GOOD.format("a", 1) + GOOD.format("b", 1)
    _, second = collect(write("two.xml", f"<domains>{both}</domains>"))
    assert isinstance(second, Unread)
    assert "the same uuid as in the same file" in second.reason


def test_domains_without_uuid_are_never_taken_for_one(tmp_path: Path, write: Write) -> None:
    write("a.xml", "<domain><name>x</name></domain>")
    write("b.xml", "<domain><name>x</name></domain>")
    assert names(collect(tmp_path)) == ["x", "x"]


def test_a_file_that_is_named_twice_is_read_once(write: Write) -> None:
    path = write("a.xml", GOOD.format("a", 1))
    assert names(collect(path, path)) == ["a"]


def test_libvirts_own_folder_is_read_as_its_owner_means_it(tmp_path: Path, write: Write) -> None:
    write("qemu/web.xml", GOOD.format("web", 1))
    write("qemu/networks/default.xml", "<network><name>default</name></network>")
    (tmp_path / "qemu/autostart").mkdir()
    (tmp_path / "qemu/autostart/web.xml").symlink_to(tmp_path / "qemu/web.xml")
    assert names(collect(tmp_path / "qemu")) == ["web"]


def test_a_link_out_of_the_folder_is_followed_and_a_link_to_a_folder_is_not(
    tmp_path: Path, write: Write
) -> None:
    outside = write("outside/vm.xml", GOOD.format("outside", 1))
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/vm.xml").symlink_to(outside)
    (tmp_path / "inside/loop.xml").symlink_to(tmp_path)
    assert names(collect(tmp_path / "inside")) == ["outside"]


def test_a_folder_that_is_a_link_is_read_when_named(tmp_path: Path, write: Write) -> None:
    write("real/vm.xml", GOOD.format("vm", 1))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert names(collect(f"{tmp_path}/link/")) == ["vm"]


BILLION_LAUGHS = (
    "<!DOCTYPE domain [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(12))
    + "]><domain><name>&m;</name></domain>"
)
LONG = f"<!DOCTYPE domain [<!ENTITY a '{'x' * 100_000}'>]>"
QUADRATIC = f"{LONG}<domain><name>{'&a;' * 50_000}</name></domain>"
IN_ATTRIBUTES = (
    BILLION_LAUGHS.partition("]>")[0]
    + "]><domain><clock offset='timezone' timezone='&m;'/></domain>"
)
DOCTYPE = "it has a DOCTYPE, which no domain definition has"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BILLION_LAUGHS, DOCTYPE),
        (QUADRATIC, DOCTYPE),
        (IN_ATTRIBUTES, DOCTYPE),
        (BILLION_LAUGHS.encode("utf-16"), DOCTYPE),
        ("<!DOCTYPE domain><domain/>", DOCTYPE),
        ("<!DOCTYPE domain SYSTEM 'http://127.0.0.1:1/x.dtd'><domain/>", DOCTYPE),
        ("<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><domain>&x;</domain>", DOCTYPE),
        ("<!DOCTYPE d [<!ENTITY % x SYSTEM 'file:///etc/passwd'> %x;]><domain/>", DOCTYPE),
        ("<domain>&undefined;</domain>", "not well-formed XML"),
        ("", "the file is empty"),
        ("   ", "not well-formed XML"),
        ("\0\0\0\0", "not well-formed XML"),
        ("<domain><name>a\0b</name></domain>", "not well-formed XML"),
        ("<domain>", "not well-formed XML"),
        ("<domain/><domain/>", "not well-formed XML"),
        ("<domain id='1' id='2'/>", "not well-formed XML"),
        ("<?xml version='1.0' encoding='nonsense'?><domain/>", "not well-formed XML"),
        (b"<domain><name>\xff\xfe\xfa</name></domain>", "not well-formed XML"),
        (GOOD.format("x", 1).encode("utf-16")[:-1], "not well-formed XML"),
        ("<a>" * 100_000, "not well-formed XML"),
        ("<network/>", "the root is <network>, not <domain>"),
        ("<html><body/></html>", "the root is <html>, not <domain>"),
        ("<x:domain xmlns:x='urn:x'/>", "the root is <{urn:x}domain>, not <domain>"),
        ("<domains/>", "there is no <domain> in its <domains>"),
        ("<domain><clock offset='sync'/></domain>", "unknown clock offset 'sync'"),
        ("<domain><uuid>" + "9" * 1_000_000 + "</uuid></domain>", "is not a uuid"),
        ("<d" + "x" * 40_000 + "/>", "the root is <dxxx"),
        ("<domain/>" + "<a/>" * 1_000_000, "over 500000 tags"),
        ("<?xml version='1.0' encoding='utf-7'?>" + "+ADw-a/+AD4-" * 100_000, "not UTF-8"),
        (("<domain>" + "<a/>" * 300_000).encode("utf-16"), "not UTF-8"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_hostile_file_is_one_clear_line(write: Write, content: str | bytes, reason: str) -> None:
    unread = only(collect(write("hostile.xml", content)))
    assert reason in unread.reason
    assert unread.reason.isprintable()
    assert len(unread.reason) < 300


LIMITED = """
import resource, sys
from guestclock.platforms.libvirt.files import DomainFiles
from guestclock.platforms.surroundings import Surroundings
from tests.platforms.libvirt.folder import GOOD, Write, collect, names
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(1 for _ in DomainFiles(sys.argv[1:], Surroundings()).machines())
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize(
    "content",
    [
        BILLION_LAUGHS,
        QUADRATIC,
        IN_ATTRIBUTES,
        BILLION_LAUGHS.encode("utf-16"),
        "<domain>" + "<a/>" * 4_000_000,
        "<domain>" + "<a/>" * 490_000,
        "<domain " + "".join(f"a{number}='' " for number in range(500_000)) + "/>",
        "<domain>" + "<a>" * 5_000_000,
    ],
    ids=range(8),
)
def test_a_bomb_takes_little_memory(write: Write, content: str | bytes) -> None:
    path = write("bomb.xml", content)
    command = [sys.executable, "-c", LIMITED, str(path)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count, mebibytes = map(int, out.split())
    assert count == 1
    assert mebibytes < 160


def test_a_file_of_a_gigabyte_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "huge.xml"
    with path.open("wb") as file:
        file.truncate(2**30)
    assert only(collect(path)).reason == "1073741824 bytes: no definition has over 16 MiB"


def test_a_file_just_over_the_limit_is_refused_and_one_just_below_is_read(write: Write) -> None:
    half = f"<description>{'x' * (LARGEST // 2 - 100)}</description>"
    inner = f"<name>big</name>{half}{half}"
    domain = f"<domain>{inner}{' ' * (LARGEST - len(inner) - 17)}</domain>"
    assert len(domain) == LARGEST
    assert names(collect(write("b.xml", domain))) == ["big"]
    assert "no definition has over" in only(collect(write("a.xml", domain + " "))).reason


def test_compressed_xml_is_not_inflated(write: Write) -> None:
    import gzip

    bomb = gzip.compress(b"<domain>" + b"<a/>" * 5_000_000 + b"</domain>")
    assert "not well-formed XML" in only(collect(write("bomb.xml", bomb))).reason


def test_xinclude_is_not_followed(write: Write) -> None:
    content = (
        "<domain xmlns:xi='http://www.w3.org/2001/XInclude'><name>vm</name>"
        "<xi:include href='/etc/passwd' parse='text'/></domain>"
    )
    assert names(collect(write("a.xml", content))) == ["vm"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_definition_may_be_in_any_unicode(write: Write, encoding: str) -> None:
    text = "<?xml version='1.0'?>" + GOOD.format("büro", 1)
    assert names(collect(write("a.xml", text.encode(encoding)))) == ["büro"]


def test_latin_1_is_read_where_it_is_declared(write: Write) -> None:
    text = "<?xml version='1.0' encoding='iso-8859-1'?>" + GOOD.format("büro", 1)
    assert names(collect(write("a.xml", text.encode("latin-1")))) == ["büro"]


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.xml")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{tmp_path}/socket.xml")
    try:
        reasons = names(collect(tmp_path, "/dev/null", "/dev/zero"))
    finally:
        listener.close()
    assert sorted(reasons) == [
        "a device, not a regular file",
        "a device, not a regular file",
        "a pipe, not a regular file",
        "a socket, not a regular file",
    ]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "dangling.xml").symlink_to("nowhere.xml")
    (tmp_path / "loop.xml").symlink_to("loop.xml")
    assert names(collect(tmp_path)) == [
        "No such file or directory",
        "Too many levels of symbolic links",
    ]
    assert names(collect(tmp_path / "none.xml", "a\0b")) == [
        "No such file or directory",
        "embedded null byte",
    ]


def test_a_folder_that_cannot_be_listed_is_reported(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a/vm.xml", GOOD.format("a", 1))
    write("b/vm.xml", GOOD.format("b", 2))
    listed = os.scandir

    def refuse(folder: str) -> object:
        if folder.endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    assert names(collect(tmp_path)) == ["the folder cannot be listed: Permission denied", "b"]


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path, write: Write) -> None:
    write("a.xml", GOOD.format("a", 1))
    write("b.xml", BILLION_LAUGHS)
    write("c.xml", "<oops")
    write("d.xml", GOOD.format("d", 2))
    assert [isinstance(one, Machine) for one in collect(tmp_path)] == [True, False, False, True]


def test_one_bad_domain_in_a_list_does_not_stop_the_others(write: Write) -> None:
    content = "<domains>{}<domain><uuid>x</uuid></domain>{}</domains>"
    path = write("a.xml", content.format(GOOD.format("a", 1), GOOD.format("c", 3)))
    assert names(collect(path)) == ["a", "domain 2: 'x' is not a uuid", "c"]


def test_a_name_that_would_break_a_report_is_shown_escaped(tmp_path: Path, write: Write) -> None:
    write("two\nlines.xml", "<oops")
    (tmp_path / os.fsdecode(b"latin-\xfc.xml")).write_text("<oops")
    sources = [only([one]).source for one in collect(tmp_path)]
    assert sources == [
        f"{tmp_path}/latin-\\xfc.xml",
        f"{tmp_path}/two\\x0alines.xml",
    ]


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path, write: Write) -> None:
    write("a.xml", GOOD.format("a", 1))
    write("b.xml", "<oops")
    machines = DomainFiles([str(tmp_path)], Surroundings()).machines()
    assert isinstance(next(machines), Machine)
    write("b.xml", GOOD.format("b", 2))
    assert names(list(machines)) == ["b"]


def test_walk_gives_explicit_files_without_looking_at_them() -> None:
    assert list(walk(["/nowhere/b", "/nowhere/a", "/nowhere/b"])) == ["/nowhere/a", "/nowhere/b"]


SEED = etree.tostring(
    etree.fromstring(
        "<domain type='kvm' id='1'><name>vm</name><uuid>00000000-0000-4000-8000-000000000001</uuid>"
        "<metadata><x/></metadata><os><type arch='x86_64' machine='pc'>hvm</type></os>"
        "<features><hyperv><relaxed state='on'/></hyperv></features>"
        "<clock offset='variable' adjustment='5' basis='utc'>"
        "<timer name='rtc' track='guest'/></clock></domain>"
    )
)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_a_machine_or_a_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.xml"
    path.write_bytes(content)
    [one] = FileReader(Surroundings()).read(str(path))
    assert isinstance(one, Machine) or one.reason.isprintable()


@given(st.randoms(use_true_random=False))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_damage_to_a_definition_gives_machines_or_lines(
    tmp_path: Path, rng: random.Random
) -> None:
    content = bytearray(SEED)
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(content))
        match rng.randrange(4):
            case 0:
                content[place] = rng.randrange(256)
            case 1:
                del content[place : place + rng.randrange(1, 20)]
            case 2:
                piece = content[place : place + rng.randrange(1, 60)]
                content[place:place] = piece
            case _:
                content[place:place] = rng.choice(
                    (b"&x;", b"<clock/>", b"<!--", b"]]>", b"\0", b"<?x?>")
                )
    path = tmp_path / "damaged.xml"
    path.write_bytes(bytes(content))
    for one in FileReader(Surroundings()).read(str(path)):
        assert isinstance(one, Machine) or one.reason.isprintable()
