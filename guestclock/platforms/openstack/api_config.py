"""Finds a cloud in clouds.yaml, with openstacksdk."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from guestclock import __version__
from guestclock.errors import Unreadable, UsageProblem
from guestclock.platforms.text import clean, shown

if TYPE_CHECKING:
    from openstack.config.cloud_region import CloudRegion

_MOST_NAMES = 10


def cloud_region(cloud: str) -> CloudRegion:
    """The configuration of a cloud; an empty name is the one that OS_CLOUD or OS_ variables say.

    Asks nobody. Raises UsageProblem where there is none, or it lacks what signing in takes, and
    Unreadable without openstacksdk.
    """
    try:
        from keystoneauth1 import exceptions
        from openstack.config.loader import CONFIG_FILES, OpenStackConfig
    except ModuleNotFoundError as problem:
        raise Unreadable(
            f"the Python package {(problem.name or '').partition('.')[0]} is not installed",
            "pip install 'guestclock[openstack]'",
        ) from None
    with _broken_files() as broken:
        try:
            # A list of our own: older releases put OS_CLIENT_CONFIG_FILE into theirs for good.
            config = OpenStackConfig(
                config_files=list(CONFIG_FILES), app_name="guestclock", app_version=__version__
            )
            # Without any cloud there is one called `defaults`, which is none.
            names = [str(name) for name in config.get_cloud_names() if name != "defaults"]
            if cloud and cloud not in names:
                raise _unknown_cloud(cloud, names, broken, config.config_filename)
            return config.get_one(cloud=cloud or None)
        except exceptions.MissingRequiredOptions as problem:
            missing = ", ".join(str(option.dest) for option in problem.options)
            raise UsageProblem(
                f"cloud {clean(cloud)} has no {missing} to sign in with",
                "add it to the section auth in clouds.yaml, or set the OS_ variables",
            ) from None
        except UsageProblem:
            raise
        except Exception as problem:
            # Whatever is wrong with a file comes up as any error there is, openstacksdk's own, a
            # parser's, a KeyError; and its text may repeat the file, with the secrets.
            kind = type(problem).__name__
            raise UsageProblem(
                f"openstacksdk cannot use the configuration of cloud {clean(cloud)} ({kind})",
                "try it with: openstack --os-cloud NAME token issue",
            ) from None


def _unknown_cloud(
    cloud: str, names: list[str], broken: list[str], path: str | None
) -> UsageProblem:
    message = f"there is no cloud {clean(cloud)}"
    if broken:
        return UsageProblem(message, f"{shown(broken[0])} is not valid YAML, and was left out")
    if not names:
        return UsageProblem(
            message, "no clouds.yaml names one: set OS_CLIENT_CONFIG_FILE, or the OS_ variables"
        )
    near = difflib.get_close_matches(cloud, names, n=3) or sorted(names)[:_MOST_NAMES]
    where = f" in {shown(path)}" if path else ""
    return UsageProblem(f"{message}{where}", f"there is {', '.join(map(clean, near))}")


@contextmanager
def _broken_files() -> Iterator[list[str]]:
    """The files that openstacksdk leaves out with a warning, which quotes them, secrets and all."""
    found: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if isinstance(record.args, tuple) and "Skipping" in str(record.msg):
                found.append(str(record.args[0]))

    # Without a handler of their own, warnings go to standard error; ours say it better.
    for name in ("openstack", "keystoneauth"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    logger, kept = logging.getLogger("openstack.config"), Kept(logging.WARNING)
    logger.addHandler(kept)
    try:
        yield found
    finally:
        logger.removeHandler(kept)
