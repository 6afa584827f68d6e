"""Where the guests' machine code comes from: the wheel, or else nasm.

The wheel has them assembled. In a source tree nasm does it, once for each state of the source;
what it made is kept in the user's cache folder under a name that tells the source it is of.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Literal

from guestclock.lab.errors import LabError, MissingToolError

_HERE = Path(__file__).parent

# guest: the whole small guest; cmos: one sector that reads the CMOS clock and ends QEMU.
Program = Literal["guest", "cmos"]


@cache
def guest_image(program: Program = "guest") -> bytes:
    """The assembled program, as it lies at the start of a disk.

    Raises MissingToolError where the package came without it and nasm is not installed.
    """
    packaged = _HERE / f"{program}.bin"
    if packaged.exists():
        return packaged.read_bytes()
    source = _HERE / f"{program}.asm"
    kept = _cached(program, b"".join(part.read_bytes() for part in _parts(source)))
    if not kept.exists():
        _put(kept, _assembled(source))
    return kept.read_bytes()


@cache
def guest_file(program: Program) -> Path:
    """The assembled program as a file of the user's, which QEMU can open for writing as it wants.

    Raises MissingToolError as `guest_image` does.
    """
    image = guest_image(program)
    file = _cached(program, image).with_suffix(".img")
    if not file.exists():
        _put(file, image)
    return file


def cache_folder() -> Path:
    """The user's folder for what can be made again (XDG_CACHE_HOME), created if need be."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "guestclock"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _cached(program: Program, content: bytes) -> Path:
    return cache_folder() / f"{program}-{hashlib.sha256(content).hexdigest()[:16]}.bin"


def _parts(source: Path) -> list[Path]:
    """The source and what it may include, in an order that never changes."""
    return [source, *sorted(source.parent.glob("*.inc"))]


def _assembled(source: Path) -> bytes:
    nasm = shutil.which("nasm")
    if nasm is None:
        raise MissingToolError(
            "this installation has no assembled guests, and nasm is not there to make them",
            "install the package nasm, or guestclock from a wheel",
        )
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "image")
        command = [nasm, "-f", "bin", "-I", f"{source.parent}/", "-o", str(made), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            raise LabError(f"nasm could not assemble {source}: {error.stderr.strip()}") from error
        return made.read_bytes()


def _put(path: Path, content: bytes) -> None:
    """Write a file that others may look for at the same time: whole or not at all."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
