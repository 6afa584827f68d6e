"""How a cloud is found, signed in to, and what is said when that fails."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from guestclock.errors import GuestclockError, Unreadable, UsageProblem
from guestclock.platforms.openstack.api import Api
from guestclock.platforms.openstack.api_secrets import Secrets
from tests.platforms.openstack.stand_in import Refusal, Request, StandIn
from tests.platforms.openstack.stand_in_items import servers

pytestmark = pytest.mark.usefixtures("no_cloud_of_the_user")

SECRET = "s3ntinel/with%and\"quote'"


def all_texts(problem: GuestclockError) -> str:
    """All that a user could be shown of an error, the errors behind it too."""
    behind = [problem.__cause__] if problem.__cause__ else []
    if problem.__context__ and not problem.__suppress_context__:
        behind.append(problem.__context__)
    return "\n".join(map(str, [problem, problem.hint, *behind]))


@pytest.mark.parametrize(
    ("names", "asked", "hint"),
    [
        (["prod-east", "prod-west", "lab"], "prod-est", "there is prod-west, prod-east"),
        (["b", "a"], "zzz", "there is a, b"),
        ([], "prod", "no clouds.yaml names one"),
    ],
)
def test_a_wrong_name_of_a_cloud_is_told_with_near_ones(
    tmp_path: Path, names: list[str], asked: str, hint: str
) -> None:
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {name: {} for name in names}}))
    with pytest.raises(UsageProblem, match=f"there is no cloud {asked}") as told:
        Api(asked).connect()
    assert hint in str(told.value.hint)


def test_without_any_configuration_it_is_said_where_one_goes() -> None:
    with pytest.raises(UsageProblem) as told:
        Api("prod").connect()
    assert "OS_CLIENT_CONFIG_FILE" in str(told.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        f"clouds: {{prod: {{auth: {{password: !{SECRET[:8]} x}}}}}}",
        f"clouds: {{prod: {{auth: *{SECRET[:8]}}}}}",
        f"clouds: [{SECRET[:8]}]",
        f"clouds: {{prod: {{regions: [{{bad: {SECRET[:8]}}}]}}}}",
        f"clouds: {{prod: {{auth: {SECRET[:8]}}}}}",
        f"clouds: {{prod: {{auth_type: {SECRET[:8]}}}}}",
    ],
)
def test_a_configuration_that_is_none_is_told_without_its_text(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str
) -> None:
    (tmp_path / "clouds.yaml").write_text(text)
    with pytest.raises(UsageProblem) as told:
        Api("prod").connect()
    assert SECRET[:8] not in all_texts(told.value) + "".join(capfd.readouterr())


def test_what_is_missing_to_sign_in_is_named(tmp_path: Path) -> None:
    auth = {"username": "auditor", "password": SECRET}
    (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {"prod": {"auth": auth}}}))
    with pytest.raises(UsageProblem, match="cloud prod has no auth_url") as told:
        Api("prod").connect()
    assert SECRET not in all_texts(told.value)


def test_the_variables_of_the_environment_are_a_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn(servers=servers(1)) as cloud:
        monkeypatch.setenv("OS_AUTH_URL", f"{cloud.url}/identity/v3")
        monkeypatch.setenv("OS_USERNAME", "auditor")
        monkeypatch.setenv("OS_PASSWORD", cloud.password)
        monkeypatch.setenv("OS_PROJECT_NAME", "ops")
        monkeypatch.setenv("OS_USER_DOMAIN_NAME", "Default")
        monkeypatch.setenv("OS_PROJECT_DOMAIN_NAME", "Default")
        api = Api("envvars")
        api.connect()
        assert len(list(api.servers())) == 1


def test_a_wrong_password_is_told_and_not_shown(tmp_path: Path) -> None:
    with StandIn(password=SECRET) as cloud:
        cloud.clouds_yaml(tmp_path)
        cloud.password = "another"
        with pytest.raises(Unreadable, match=r"^cloud stand-in: signing in: ") as told:
            Api("stand-in").connect()
    assert "password" in str(told.value.hint)
    assert SECRET not in all_texts(told.value)


@pytest.mark.parametrize("shape", ["{}", "https://x:{}@y/", "\x1b[31m{}\nmore", "é{}"])
def test_a_secret_that_a_service_repeats_is_not_shown(tmp_path: Path, shape: str) -> None:
    def refuse(request: Request) -> Refusal | None:
        if not request.path.endswith("servers/detail"):
            return None
        said = shape.format(f"{SECRET} a-token-of-the-stand-in-1")
        # Nearly all of the line that is shown, so that a cut would leave a part of it.
        error = {"itemNotFound": {"message": "." * 90 + said, "code": 500}}
        return Refusal(500, json.dumps(error).encode())

    with StandIn(password=SECRET, refuse=refuse) as cloud:
        cloud.clouds_yaml(tmp_path)
        api = Api("stand-in")
        api.connect()
        with pytest.raises(Unreadable) as told:
            list(api.servers())
    shown = all_texts(told.value)
    assert "s3ntinel" not in shown
    assert "a-token" not in shown
    assert str(told.value).isprintable()


def test_secrets_are_hidden_however_they_are_written() -> None:
    secrets = Secrets()
    secrets.learn({"username": "auditor", "password": SECRET, "v3": {"passcode": 123456}})
    secrets.add("")
    secrets.add(None)
    written = f"auditor {SECRET} s3ntinel%2Fwith%25and%22quote%27 {SECRET!r} 123456"
    assert secrets.hidden(written) == "auditor *** *** '***' ***"
    assert secrets.hidden("at http://user:word@host/x") == "at http://***@host/x"


def test_a_cloud_that_nobody_answers_for_is_told(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        auth_url = f"http://127.0.0.1:{nobody.getsockname()[1]}/v3"
        auth = {"auth_url": auth_url, "username": "u", "password": SECRET, "project_name": "p"}
        (tmp_path / "clouds.yaml").write_text(json.dumps({"clouds": {"prod": {"auth": auth}}}))
        with pytest.raises(Unreadable, match="Unable to establish connection") as told:
            Api("prod").connect()
    assert "auth_url" in str(told.value.hint)
    assert SECRET not in all_texts(told.value)


def test_a_service_that_never_answers_is_not_waited_for_forever(tmp_path: Path) -> None:
    with StandIn(servers=servers(1), delay=3600) as cloud:
        cloud.clouds_yaml(tmp_path, api_timeout=0.2)
        api = Api("stand-in")
        api.connect()
        with pytest.raises(Unreadable, match="timed out"):
            list(api.servers())


@pytest.mark.parametrize(
    ("settings", "noted"),
    [
        ({"region_name": "East"}, "its regions West are not read"),
        ({}, "its regions East are not read"),
    ],
)
def test_other_regions_are_noted(tmp_path: Path, settings: dict[str, Any], noted: str) -> None:
    with StandIn(regions=("West", "East")) as cloud:
        cloud.clouds_yaml(tmp_path, **settings)
        api = Api("stand-in")
        api.connect()
    assert [one for one in api.notes if noted in str(one)]


def test_a_region_without_nova_is_told(tmp_path: Path) -> None:
    with StandIn(regions=("West",)) as cloud:
        cloud.clouds_yaml(tmp_path, region_name="Wset")
        api = Api("stand-in")
        api.connect()
        with pytest.raises(Unreadable, match="compute service in Wset region not found"):
            list(api.servers())


def test_without_openstacksdk_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "openstack"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "openstack", None)
    with pytest.raises(Unreadable, match="openstack is not installed") as told:
        Api("prod").connect()
    assert told.value.hint == "pip install 'guestclock[openstack]'"
