"""What the openstack client looks for in a plugin; it imports this at each of its commands.

So nothing is imported here that is not needed to say so.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion
    from osc_lib.clientmanager import ClientManager

API_NAME = "clock"
API_VERSION_OPTION = "os_clock_api_version"
DEFAULT_API_VERSION = "1"
API_VERSIONS = {"1": "guestclock.osc.plugin"}


def make_client(instance: ClientManager) -> CloudRegion:
    """The cloud that the client has signed in to: `client_manager.clock` of each command."""
    region: CloudRegion = instance.sdk_connection.config
    return region


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Adds the option that the client takes the version of the commands from."""
    parser.add_argument(
        "--os-clock-api-version",
        metavar="<clock-api-version>",
        default=os.environ.get("OS_CLOCK_API_VERSION", DEFAULT_API_VERSION),
        help="Version of guestclock's commands, default=1 (Env: OS_CLOCK_API_VERSION)",
    )
    return parser
