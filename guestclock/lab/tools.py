"""The programs of others that the lab starts."""

from __future__ import annotations

import shutil
from functools import cache

from guestclock.lab.errors import MissingToolError


@cache
def qemu() -> str:
    """The path of QEMU for x86. Raises MissingToolError without it."""
    return tool("qemu-system-x86_64", "qemu-system-x86 (Debian, Ubuntu), qemu-kvm (Fedora)")


def tool(name: str, packages: str, path: str | None = None) -> str:
    """The path of a program, sought in `path` or else PATH.

    Raises MissingToolError, which names the packages that have it.
    """
    found = shutil.which(name, path=path)
    if found is None:
        raise MissingToolError(f"{name} is not installed", f"install the package {packages}")
    return found
