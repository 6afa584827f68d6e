from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from guestclock.disks import references
from guestclock.disks.problem import DiskProblem, OverLimit, RefusedReference, Unreachable
from guestclock.disks.references import DEEPEST, MOST, Opened, Policy


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of images, with secrets beside it and a folder that may be allowed."""
    for name in (
        "images/disk.vmdk",
        "images/disk-flat.vmdk",
        "images/disk-s001.vmdk",
        "images/base.qcow2",
        "images/diskless.vmdk",
        "images/sub/base.qcow2",
        "images-of-others/base.qcow2",
        "golden/base.qcow2",
        "secret",
    ):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(name)
    return tmp_path / "images"


@contextmanager
def policy(image: Path, follow: bool = True, allowed: tuple[Path, ...] = ()) -> Iterator[Policy]:
    descriptor = os.open(image, os.O_RDONLY)
    try:
        yield Policy(str(image), descriptor, follow, [str(one) for one in allowed])
    finally:
        os.close(descriptor)


def content(opened: Opened) -> str:
    with open(opened.descriptor) as file:
        return file.read()


def backing(image: Path, name: str, *allowed: Path) -> str:
    with policy(image, allowed=allowed) as given:
        return content(given.backing(name, 0))


ADDRESSES = (
    "json:{}",
    'json:{"file.driver": "host_device", "file.filename": "/etc/passwd"}',
    "nbd:127.0.0.1:10809",
    "nbd+unix:///x?socket=/run/x",
    "http://user:hunter2@127.0.0.1/x",
    "https://user:hunter2@example.org/x",
    "ssh://user:hunter2@host/x",
    "file:base.qcow2",
    "fat:/etc",
    "fat:rw:.",
    "rbd:pool/image:id=admin:key=hunter2",
    "blkdebug::base.qcow2",
    "C:\\base.vhd",
    ":base.qcow2",
)


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_is_never_opened_nor_shown(images: Path, name: str) -> None:
    with policy(images / "disk.vmdk") as given:
        for ask in (given.backing, given.part):
            with pytest.raises(RefusedReference, match="address") as refused:
                ask(name, 0)
            assert "hunter2" not in refused.value.detail


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_file_that_is_called_like_an_address_is_not_opened(images: Path, name: str) -> None:
    file = images / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("a trap")
    with pytest.raises(RefusedReference):
        backing(images / "disk.vmdk", name)


def test_a_backing_file_is_only_read_when_that_was_asked_for(images: Path) -> None:
    with (
        policy(images / "disk.vmdk", follow=False) as given,
        pytest.raises(RefusedReference, match="--follow-backing"),
    ):
        given.backing("base.qcow2", 0)


@pytest.mark.parametrize("name", ["base.qcow2", "./base.qcow2", "sub/../base.qcow2"])
def test_a_backing_file_of_the_own_folder_is_read(images: Path, name: str) -> None:
    assert backing(images / "disk.vmdk", name) == "images/base.qcow2"
    assert backing(images / "disk.vmdk", str(images / name)) == "images/base.qcow2"


def test_a_backing_file_below_the_own_folder_is_read(images: Path) -> None:
    assert backing(images / "disk.vmdk", "sub/base.qcow2") == "images/sub/base.qcow2"


@pytest.mark.parametrize(
    "name",
    [
        "../secret",
        "/etc/passwd",
        "../images-of-others/base.qcow2",
        "sub/../../secret",
        "../golden/base.qcow2",
        "/proc/self/environ",
        "/dev/zero",
        "..",
        ".",
        "/",
    ],
)
def test_nothing_outside_the_own_folder_is_read(images: Path, name: str) -> None:
    with pytest.raises(RefusedReference):
        backing(images / "disk.vmdk", name)


def test_a_link_out_of_the_folder_is_not_followed(images: Path) -> None:
    (images / "link.qcow2").symlink_to("../secret")
    (images / "door").symlink_to("..")
    for name in ("link.qcow2", "door/secret", "door/images-of-others/base.qcow2"):
        with pytest.raises(RefusedReference, match="outside"):
            backing(images / "disk.vmdk", name)


def test_a_link_inside_the_folder_is_followed(images: Path) -> None:
    (images / "link.qcow2").symlink_to("sub/base.qcow2")
    assert backing(images / "disk.vmdk", "link.qcow2") == "images/sub/base.qcow2"


def test_an_allowed_folder_is_one_more(images: Path) -> None:
    golden = images.parent / "golden"
    (images / "link.qcow2").symlink_to("../golden/base.qcow2")
    for name in ("../golden/base.qcow2", str(golden / "base.qcow2"), "link.qcow2"):
        assert backing(images / "disk.vmdk", name, golden) == "golden/base.qcow2"
    with pytest.raises(RefusedReference):
        backing(images / "disk.vmdk", "../secret", golden)


def test_an_allowed_folder_may_be_a_link_itself(images: Path) -> None:
    link = images.parent / "templates"
    link.symlink_to("golden")
    assert backing(images / "disk.vmdk", str(link / "base.qcow2"), link) == "golden/base.qcow2"


def test_a_link_made_after_the_look_does_not_lead_out(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = references._root_of

    def swapped(path: str, roots: tuple[str, ...]) -> str | None:
        found = look(path, roots)
        shutil.rmtree(images / "sub")
        (images / "sub").symlink_to("../images-of-others")
        return found

    monkeypatch.setattr(references, "_root_of", swapped)
    with pytest.raises(Unreachable):
        backing(images / "disk.vmdk", "sub/base.qcow2")


def test_a_file_swapped_for_a_link_after_the_look_is_not_followed(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = references._root_of

    def swapped(path: str, roots: tuple[str, ...]) -> str | None:
        found = look(path, roots)
        (images / "base.qcow2").unlink()
        (images / "base.qcow2").symlink_to("../secret")
        return found

    monkeypatch.setattr(references, "_root_of", swapped)
    with pytest.raises(RefusedReference):
        backing(images / "disk.vmdk", "base.qcow2")


def test_a_pipe_or_a_folder_is_not_opened(images: Path) -> None:
    os.mkfifo(images / "pipe.qcow2")
    for name in ("pipe.qcow2", "sub"):
        with pytest.raises(RefusedReference, match="no ordinary file"):
            backing(images / "disk.vmdk", name)


@pytest.mark.parametrize("name", ["", "base\0.qcow2", "a" * 5000, "\ud800"])
def test_what_is_no_path_is_refused(images: Path, name: str) -> None:
    with pytest.raises(DiskProblem):
        backing(images / "disk.vmdk", name)


def test_a_file_that_is_not_there_is_unreachable(images: Path) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        backing(images / "disk.vmdk", "gone.qcow2")


@pytest.mark.parametrize("name", ["disk-flat.vmdk", "disk-s001.vmdk"])
def test_an_extent_beside_the_image_is_read_unasked(images: Path, name: str) -> None:
    with policy(images / "disk.vmdk", follow=False) as given:
        assert content(given.part(name, 0)) == f"images/{name}"


@pytest.mark.parametrize(
    "name",
    [
        "base.qcow2",
        "diskless.vmdk",
        "sub/disk-flat.vmdk",
        "./disk-flat.vmdk",
        "../secret",
        "disk-x/../../secret",
        "/etc/passwd",
    ],
)
def test_no_other_extent_is_read_unasked(images: Path, name: str) -> None:
    with (
        policy(images / "disk.vmdk", follow=False) as given,
        pytest.raises(RefusedReference, match=r"'disk-\.\.\.'"),
    ):
        given.part(name, 0)


def test_an_extent_that_is_a_link_out_is_not_read(images: Path) -> None:
    (images / "disk-f001.vmdk").symlink_to("../secret")
    with (
        policy(images / "disk.vmdk", follow=False, allowed=(images.parent,)) as given,
        pytest.raises(RefusedReference, match="outside"),
    ):
        given.part("disk-f001.vmdk", 0)


def test_other_extents_are_read_when_that_was_asked_for(images: Path) -> None:
    with policy(images / "disk.vmdk") as given:
        assert content(given.part("base.qcow2", 0)) == "images/base.qcow2"
        with pytest.raises(RefusedReference):
            given.part("../secret", 0)


def test_a_name_is_taken_from_the_folder_of_the_file_that_has_it(images: Path) -> None:
    with policy(images / "disk.vmdk") as given:
        below = given.backing("sub/base.qcow2", 0)
        os.close(below.descriptor)
        again = given.backing("../base.qcow2", below.number)
        assert content(again) == "images/base.qcow2"


def test_names_are_taken_from_where_the_image_was_named_as_qemu_does(images: Path) -> None:
    link = images.parent / "golden" / "disk.vmdk"
    link.symlink_to("../images/disk.vmdk")
    assert backing(link, "base.qcow2") == "golden/base.qcow2"


def test_a_chain_that_bites_its_tail_ends(images: Path) -> None:
    os.link(images / "disk.vmdk", images / "same.vmdk")
    with policy(images / "disk.vmdk") as given:
        for name in ("disk.vmdk", "same.vmdk"):
            with pytest.raises(OverLimit, match="itself"):
                given.backing(name, 0)
        below = given.backing("base.qcow2", 0)
        os.close(below.descriptor)
        with pytest.raises(OverLimit, match="itself"):
            given.backing("disk.vmdk", below.number)


def test_a_chain_has_an_end(images: Path) -> None:
    for number in range(DEEPEST + 1):
        (images / f"b{number}").write_text("x")
    with policy(images / "disk.vmdk") as given:
        of = 0
        for number in range(DEEPEST):
            opened = given.backing(f"b{number}", of)
            os.close(opened.descriptor)
            of = opened.number
        with pytest.raises(OverLimit, match=str(DEEPEST)):
            given.backing(f"b{DEEPEST}", of)


def test_an_image_has_so_many_parts_and_no_more(images: Path) -> None:
    with policy(images / "disk.vmdk", follow=False) as given:
        for _ in range(MOST):
            os.close(given.part("disk-flat.vmdk", 0).descriptor)
        with pytest.raises(OverLimit, match=str(MOST)):
            given.part("disk-flat.vmdk", 0)


@pytest.mark.parametrize("of", [-1, 1, 1 << 40])
def test_a_file_that_was_never_opened_names_nothing(images: Path, of: int) -> None:
    with policy(images / "disk.vmdk") as given, pytest.raises(RefusedReference):
        given.backing("base.qcow2", of)


def test_a_refusal_leaves_nothing_open(images: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for name in ("../secret", "disk.vmdk", "sub", "gone", "sub/gone/x"):
        with pytest.raises(DiskProblem):
            backing(images / "disk.vmdk", name)
    assert len(os.listdir("/proc/self/fd")) == before
