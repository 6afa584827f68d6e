from __future__ import annotations

import csv
import io
import json
import subprocess

import pytest

from tests.osc.conftest import HOSTILE, ID, OpenStack, rows_of
from tests.platforms.openstack.stand_in import Refusal, StandIn

KNOWN = ("--host-zone", "Asia/Shanghai", "--guests", "guests.csv", "--at", "2026-11-23T12:00:00Z")
SECRET = "a-password-of-the-database"


def test_images_are_listed_with_what_they_should_say(openstack: OpenStack) -> None:
    ran = openstack("clock", "image", "list", "-f", "json")
    assert ran.code == 0, ran.err
    found = {row["ID"]: (row["OS Type"], row["Should Be"], row["Clock"]) for row in rows_of(ran)}
    assert found == {
        "image-1": (None, "windows", "CLK601"),
        "image-2": ("windows", "windows", "right"),
        "image-3": ("linux", "linux", "right"),
        "image-4": ("WINDOWS", "windows", "CLK602"),
        "image-5": (None, None, "unknown"),
    }


def test_servers_are_listed_with_their_error_and_how_os_type_is_known(
    openstack: OpenStack,
) -> None:
    ran = openstack("clock", "server", "list", *KNOWN, "-f", "json")
    assert ran.code == 0, ran.err
    rows = rows_of(ran)
    assert [row["Name"] for row in rows] == ["forgotten", "right", "linux", HOSTILE]
    assert [row["After Hard Reboot"] for row in rows] == [-28800, 0, 0, -28800]
    assert [row["OS Type"] for row in rows] == [None, "windows", "linux", "WINDOWS"]
    assert {row["Known By"].partition(":")[0] for row in rows} == {"inferred"}
    assert {row["Host"] for row in rows} == {"compute1"}


def test_columns_and_order_are_the_clients(openstack: OpenStack) -> None:
    ran = openstack(
        *("clock", "server", "list", *KNOWN),
        *("-f", "value", "-c", "Name", "-c", "After Hard Reboot"),
        *("--sort-column", "Name", "--sort-descending"),
    )
    assert ran.out.splitlines()[:3] == ["right 0", "linux 0", "forgotten -28800"]


def test_the_audit_has_a_row_a_finding_and_gives_its_exit_code(openstack: OpenStack) -> None:
    ran = openstack("clock", "audit", *KNOWN, "-f", "json")
    assert ran.code == 1, ran.err
    found = {(row["Rule"], row["Severity"], row["Kind"], row["ID"]) for row in rows_of(ran)}
    assert found == {
        ("CLK601", "error", "server", ID.format(1)),
        ("CLK602", "error", "server", ID.format(4)),
        ("CLK601", "warning", "image", "image-1"),
        ("CLK602", "warning", "image", "image-4"),
    }
    errors = {row["After Hard Reboot"] for row in rows_of(ran) if row["Kind"] == "server"}
    assert errors == {-28800}
    assert "4 machines, 1 host, 5 images: 2 errors, 2 warnings" in ran.err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--fail-on", "never"), 0),
        (("--ignore", "CLK6"), 0),
        (("--select", "CLK602"), 1),
        (("--select", "CLK603", "--fail-on", "warning"), 0),
    ],
)
def test_what_fails_an_audit_is_chosen(
    openstack: OpenStack, options: tuple[str, ...], code: int
) -> None:
    assert openstack("clock", "audit", *KNOWN, *options, "-f", "json").code == code


def test_a_server_is_explained_field_by_field(openstack: OpenStack) -> None:
    ran = openstack("clock", "explain", "forgotten", *KNOWN, "-f", "json")
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["id"] == ID.format(1)
    assert found["verdict"].startswith("forgotten will be 8 h behind after its next cold start")
    assert found["after_hard_reboot"] == found["after_rebuild"] == -28800
    assert found["after_soft_reboot"] is None
    hops = {hop["name"]: hop for hop in found["hops"]}
    assert hops["image"]["should"] == "os_type=windows"
    assert {"what", "how", "where"} == set(hops["image"]["evidence"][0])
    assert "os_type" in found["cure"]


def test_an_explanation_for_people_has_a_line_a_hop(openstack: OpenStack) -> None:
    ran = openstack("clock", "explain", ID.format(1), *KNOWN, "-f", "value", "-c", "hops")
    assert ran.out.splitlines()[:2] == ["image: no os_type", "  should say os_type=windows"]


def test_the_guest_may_be_stated_with_the_command(openstack: OpenStack) -> None:
    options = ("--host-zone", "Asia/Shanghai", "--guest", "linux")
    ran = openstack("clock", "explain", "right", *options, "--fail-on", "error", "-f", "json")
    assert ran.code == 1, ran.err
    assert json.loads(ran.out)["after_hard_reboot"] == 28800


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("audit", "--host-zone", "Asia/Shangai"), "did you mean Asia/Shanghai"),
        (("audit", "--select", "CLK999"), "there is no rule 'CLK999'"),
        (("audit", "--at", "tomorrow"), "'tomorrow' is not an instant"),
        (("audit", "--tolerance", "0"), "'0' is not a number of seconds"),
        (("explain", "forgoten"), "hint: did you mean forgotten?"),
        (("explain", "right", "--guest", "beos"), "is not one of windows"),
    ],
)
def test_what_makes_no_sense_is_usage(
    openstack: OpenStack, arguments: tuple[str, ...], said: str
) -> None:
    ran = openstack("clock", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_a_source_that_fails_is_said_without_its_secret_and_the_rest_goes_on(
    openstack: OpenStack,
) -> None:
    url = f"mysql+pymysql://guestclock:{SECRET}@127.0.0.1:1/nova"
    options = ("--cell-db", url, "--fail-on", "never")
    ran = openstack("-q", "clock", "audit", *KNOWN, *options, "-f", "json")
    assert ran.code == 3
    assert len(rows_of(ran)) == 4
    assert [line[:28] for line in ran.err.splitlines()] == ["not read: 127.0.0.1:1/nova: "]
    assert SECRET not in ran.out + ran.err


def test_a_cloud_that_refuses_a_list_is_one_line(cloud: StandIn, openstack: OpenStack) -> None:
    cloud.refuse = lambda asked: Refusal(500) if asked.path.endswith("/images") else None
    ran = openstack("clock", "image", "list")
    assert ran.code == 3
    assert ran.err.count("\n") == 1
    assert "images" in ran.err


def test_the_client_signs_in_once_and_only_reads(cloud: StandIn, openstack: OpenStack) -> None:
    openstack("clock", "audit", *KNOWN)
    assert cloud.not_gets() == [("POST", "/identity/v3/auth/tokens")]
    assert cloud.paths("/servers/detail")


@pytest.mark.parametrize("form", ["table", "csv", "value", "json", "yaml"])
def test_a_hostile_name_is_harmless_in_every_list(openstack: OpenStack, form: str) -> None:
    ran = openstack("clock", "audit", *KNOWN, "-f", form)
    assert ran.code == 1
    assert all(line.isprintable() for line in (ran.out + ran.err).splitlines())
    if form == "csv":
        cells = [cell for row in csv.reader(io.StringIO(ran.out), escapechar="\\") for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_a_hostile_name_is_a_word_to_a_shell(openstack: OpenStack) -> None:
    ran = openstack("clock", "explain", ID.format(4), *KNOWN, "-f", "shell", "-c", "name")
    shown = subprocess.run(
        ["sh", "-c", f'{ran.out}\nprintf %s "$name"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == HOSTILE.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")


def test_each_command_has_a_help(openstack: OpenStack) -> None:
    for command in ("explain", "audit", "image list", "server list"):
        ran = openstack("clock", *command.split(), "--help")
        assert ran.code == 0
        assert f"clock {command} [-h]" in ran.out
