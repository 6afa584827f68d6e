"""Puts the assembled guests into the wheel, where nasm is there to assemble them.

Without nasm the wheel is built all the same: the lab then assembles them when it first needs them.
An editable install never gets them, so that a change of their source is never missed.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GUESTS = "guestclock/lab/guests"


class AssembleGuests(BuildHookInterface[Any]):
    """The hook hatchling runs around the building of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Assemble each guest next to nothing else, and have it included beside its source."""
        if version == "editable":
            return
        nasm = shutil.which("nasm")
        if nasm is None:
            self.app.display_warning("nasm is not installed: the wheel goes without its guests")
            return
        self._folder = tempfile.TemporaryDirectory()
        for source in sorted(Path(self.root, GUESTS).glob("*.asm")):
            image = Path(self._folder.name, source.with_suffix(".bin").name)
            command = [nasm, "-f", "bin", "-I", f"{source.parent}/", "-o", str(image), str(source)]
            subprocess.run(command, check=True)
            build_data["force_include"][str(image)] = f"{GUESTS}/{image.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was assembled, which is in the wheel now."""
        if folder := getattr(self, "_folder", None):
            folder.cleanup()
