"""The openstack client as its users start it, against a cloud on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Ran
from tests.platforms.openstack.stand_in import StandIn
from tests.platforms.openstack.stand_in_items import PROJECT

ID = "aaaaaaaa-0000-4000-8000-{:012d}"
HOSTILE = "=cmd|'/c x'!A1\x1b[31m\"$(id)`id`\u202e"
OpenStack = Callable[..., Ran]


def image(number: int, name: str, **properties: str) -> dict[str, Any]:
    return {
        "id": f"image-{number}",
        "name": name,
        "status": "active",
        "visibility": "public",
        "os_hidden": False,
        "created_at": "2026-11-01T09:00:00Z",
        "updated_at": "2026-11-01T09:00:00Z",
        **properties,
    }


def server(number: int, name: str, made_of: str, os_type: str | None) -> dict[str, Any]:
    properties = {} if os_type is None else {"os_type": os_type}
    return {
        "id": ID.format(number),
        "name": name,
        "tenant_id": PROJECT,
        "image": {"id": made_of, "links": [], "properties": properties},
        "OS-EXT-SRV-ATTR:host": "compute1",
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:power_state": 1,
        "created": "2026-11-02T09:00:00Z",
    }


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[StandIn]:
    stand_in = StandIn(
        images=[
            image(1, "windows-server-2022"),
            image(2, "win-right", os_type="windows"),
            image(3, "debian-12", os_type="linux", os_distro="debian"),
            image(4, HOSTILE, os_type="WINDOWS"),
            image(5, "appliance"),
        ],
        servers=[
            server(1, "forgotten", "image-1", None),
            server(2, "right", "image-2", "windows"),
            server(3, "linux", "image-3", "linux"),
            server(4, HOSTILE, "image-4", "WINDOWS"),
        ],
        hypervisors=[{"hypervisor_hostname": "compute1", "service": {"host": "compute1"}}],
    )
    with stand_in:
        stand_in.clouds_yaml(tmp_path)
        (tmp_path / "guests.csv").write_text(
            "machine,guest,zone\nlinux,linux,\n*,windows,Asia/Shanghai\n"
        )
        yield stand_in


@pytest.fixture
def openstack(cloud: StandIn, tmp_path: Path) -> OpenStack:
    """Runs `openstack ...` in a process of its own, signed in to the cloud."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    environment = {
        **kept,
        "OS_CLOUD": "stand-in",
        "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
        "no_proxy": "127.0.0.1",
        "PYTHONIOENCODING": "utf-8",
    }

    def run(*arguments: str) -> Ran:
        ran = subprocess.run(
            [sys.executable, "-m", "openstackclient.shell", *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    return run


def rows_of(ran: Ran) -> list[dict[str, Any]]:
    """The rows of a list in JSON."""
    rows: list[dict[str, Any]] = json.loads(ran.out)
    return rows
