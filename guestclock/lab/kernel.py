"""Where a real Linux kernel comes from: one that is installed, or the distribution's package.

Only the kernel's own file is wanted, not a second system on this machine: it is taken out of the
package without installing that.
"""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

from guestclock.lab.errors import LabError, MissingToolError
from guestclock.lab.guests.build import cache_folder
from guestclock.lab.tools import tool

# Debian's smallest first; Ubuntu has the last two.
_PACKAGES = (
    "linux-image-cloud-amd64",
    "linux-image-amd64",
    "linux-image-virtual",
    "linux-image-generic",
)


def find_kernel() -> Path:
    """The newest kernel for x86-64 that can be read: fetched before, or installed in /boot.

    Raises MissingToolError where there is none.
    """
    fetched = sorted(cache_folder().glob("vmlinuz-*"), key=_version)
    installed = sorted(Path("/boot").glob("vmlinuz-*"), key=_version)
    for kernel in (*reversed(fetched), *reversed(installed)):
        if os.access(kernel, os.R_OK):
            return kernel
    if installed:
        raise MissingToolError(
            f"{installed[-1]} may be read by root alone, and no other Linux kernel is here",
            "run `python -m guestclock.lab.kernel`, which fetches one with apt-get, without root",
        )
    raise MissingToolError(
        "there is no Linux kernel on this machine to boot",
        "run `python -m guestclock.lab.kernel`, which fetches one with apt-get, without root",
    )


def fetch_kernel() -> Path:
    """Take the distribution's kernel out of its package, by apt-get, into the user's cache folder.

    Raises MissingToolError where there is no apt-get, LabError where no such package is to be had.
    """
    for name in ("apt-get", "apt-cache", "dpkg-deb"):
        tool(name, "apt and dpkg, which only Debian and its kin have")
    with tempfile.TemporaryDirectory() as folder:
        for package in _kernel_packages():
            done = subprocess.run(
                ["apt-get", "download", package],
                cwd=folder,
                check=False,
                capture_output=True,
                text=True,
            )
            for archive in Path(folder).glob("*.deb"):
                return _extract(archive)
            failure = done.stderr.strip()
    raise LabError(f"apt-get has no Linux kernel: {failure}", "run `apt-get update` as root first")


def _kernel_packages() -> list[str]:
    """The packages that hold a kernel, which those of `_PACKAGES` only depend on."""
    found = []
    for package in _PACKAGES:
        depends = subprocess.run(
            ["apt-cache", "depends", "--no-recommends", "--no-suggests", package],
            check=False,
            capture_output=True,
            text=True,
        )
        found += re.findall(r"Depends: (linux-image-\d\S+)", depends.stdout)
    if not found:
        raise LabError("apt-cache knows no Linux kernel", "run `apt-get update` as root first")
    return found


def _extract(package: Path) -> Path:
    """The /boot/vmlinuz-... of a package."""
    with subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(package)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it complains of being left as soon as the kernel is out
    ) as unpacker:
        assert unpacker.stdout is not None
        with tarfile.open(fileobj=unpacker.stdout, mode="r|") as files:
            for member in files:
                name = Path(member.name).name
                if re.fullmatch(r"\./boot/vmlinuz-[^/]+", member.name):
                    content = files.extractfile(member)
                    assert content is not None
                    kernel = cache_folder() / name
                    new = kernel.with_name(f".{name}.{os.getpid()}")
                    new.write_bytes(content.read())
                    return new.replace(kernel)
    raise LabError(f"{package.name} has no kernel in it")


def _version(kernel: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", kernel.name)]


if __name__ == "__main__":
    print(fetch_kernel())
