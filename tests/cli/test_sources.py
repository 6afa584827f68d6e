from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from guestclock.cli.sources import (
    SourceOptions,
    collect,
    load_zones,
    source_options,
    surroundings_of,
)
from guestclock.databases import zones_at_hand
from guestclock.errors import UsageProblem
from guestclock.evidence import Assumed
from guestclock.law import NO_HOST_ZONE
from guestclock.machine import Machine
from guestclock.platforms.interface import Unread
from guestclock.zones import Zones

DOMAIN = "<domain type='kvm'><name>{}</name></domain>"


def test_the_options_come_together_as_one_argument() -> None:
    given = []

    @click.command()
    @click.argument("paths", nargs=-1)
    @source_options
    def command(paths: tuple[str, ...], sources: SourceOptions) -> None:
        given.append((paths, sources))

    words = "a -c qemu:///system -c test:///default --guests g.csv --host-zone Asia/Tokyo --live b"
    CliRunner().invoke(command, [*words.split(), "--libvirtd-zone", "UTC"], catch_exceptions=False)
    CliRunner().invoke(command, [], catch_exceptions=False)
    uris = ("qemu:///system", "test:///default")
    options = SourceOptions(uris, "g.csv", ("Asia/Tokyo",), "UTC", live=True)
    assert given == [(("a", "b"), options), ((), SourceOptions())]


def test_the_help_says_what_live_costs() -> None:
    command = click.command()(source_options(lambda sources: None))
    assert "libvirt marks the domain as tainted" in " ".join(
        CliRunner().invoke(command, ["--help"]).output.split()
    )


def test_the_zones_are_those_at_hand() -> None:
    assert load_zones() is zones_at_hand()


def test_what_the_user_says_of_the_host_is_assumed(zones: Zones) -> None:
    options = SourceOptions(host_zones=("China Standard Time",), libvirtd_zone="CST-8")
    host = surroundings_of(options, zones).host
    assert host.zone == Assumed("Asia/Shanghai", "--host-zone")
    assert host.daemon_zone == "CST-8"
    assert surroundings_of(SourceOptions(), zones).host.zone == NO_HOST_ZONE


@pytest.mark.parametrize(
    "options",
    [
        SourceOptions(host_zones=("Asia/Shangai",)),
        SourceOptions(libvirtd_zone="Asia/Shangai"),
    ],
)
def test_a_wrong_option_is_said_before_the_first_machine(
    zones: Zones, options: SourceOptions
) -> None:
    with pytest.raises(UsageProblem, match="did you mean Asia/Shanghai"):
        collect([], options, zones)


def test_files_folders_and_command_lines_are_collected(tmp_path: Path, zones: Zones) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.xml").write_text(DOMAIN.format("a"))
    (tmp_path / "b.xml").write_text(DOMAIN.format("b"))
    (tmp_path / "c.sh").write_text("qemu-system-x86_64 -name c")
    paths = [str(tmp_path / name) for name in ("c.sh", "folder", "b.xml", "none")]
    found = list(collect([*paths, "pid:x"], SourceOptions(), zones))
    assert [one.identity.name for one in found if isinstance(one, Machine)] == ["b", "a", "c"]
    assert [one.source for one in found if isinstance(one, Unread)] == [paths[3], "pid:x"]


def test_a_connection_is_read_after_the_files(tmp_path: Path, zones: Zones) -> None:
    (tmp_path / "a.xml").write_text(DOMAIN.format("a"))
    options = SourceOptions(("test:///default", "nonsense://"))
    first, second, third = collect([str(tmp_path)], options, zones)
    assert isinstance(first, Machine)
    assert isinstance(second, Machine)
    assert isinstance(third, Unread)
    assert (second.identity.name, second.identity.source) == ("test", "test:///default")
    assert third.source == "nonsense://"
