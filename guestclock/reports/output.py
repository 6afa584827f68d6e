"""Where a report goes: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from guestclock.errors import Unreadable


@contextmanager
def writing(output: str | None) -> Iterator[TextIO]:
    """A text stream to `output`, or to standard output for None.

    The file is renamed into place as the block ends well; a block that fails leaves an older
    file as it was. Raises Unreadable where the file cannot be written.
    """
    if output is None:
        yield sys.stdout
        return
    # They bring half of the standard library with them, which what is printed has no use for.
    import tempfile
    from pathlib import Path

    target = Path(output)
    if target.exists() and not target.is_file():
        # A pipe or a device such as /dev/stdout: there is nothing to rename.
        with target.open("w", encoding="utf-8") as stream:
            yield stream
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as problem:
        raise Unreadable(f"{output} cannot be written: {problem.strerror}") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            yield stream
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
