"""Cells of the client's tables: for programs as they are, for people in words and harmless.

cliff hands a text on to a terminal, to a spreadsheet and to a shell as it is, and servers are
named by strangers.
"""

from __future__ import annotations

from collections.abc import Iterable

from guestclock.evidence import Fact, Unknown
from guestclock.platforms.text import escaped
from guestclock.words import behind_or_ahead

_STRUCTURED = ("json", "yaml")
_FORMULAS = ("=", "+", "-", "@")
_OF_SHELLS = str.maketrans({"\\": "\\\\", "$": "\\$", "`": "\\`"})


class Cells:
    """Makes the cells of one output format, called as cliff calls it.

    An error of less than `tolerance` seconds is none.
    """

    def __init__(self, form: str, tolerance: int = 5) -> None:
        self._form = form
        self._tolerance = tolerance

    @property
    def structured(self) -> bool:
        """Whether the format has lists, numbers and null, and quotes what is odd by itself."""
        return self._form in _STRUCTURED

    def text(self, text: str) -> str:
        """A text of anybody's; it may have several lines if each of them is printable."""
        if self.structured:
            # Half a character, which YAML and UTF-8 refuse.
            return text.encode("utf-8", "backslashreplace").decode()
        text = "\n".join(map(escaped, text.split("\n")))
        if self._form == "csv" and text.startswith(_FORMULAS):
            return f"'{text}"
        # cliff itself escapes the double quotes.
        return text.translate(_OF_SHELLS) if self._form == "shell" else text

    def maybe(self, text: str | None) -> str | None:
        """A text, or that there is none."""
        if text is None:
            return None if self.structured else ""
        return self.text(text)

    def error(self, error: Fact[int]) -> int | str | None:
        """A clock error: seconds for programs, positive where the guest is ahead; null unknown."""
        if isinstance(error, Unknown):
            return None if self.structured else self.text(f"unknown: {error.reason}")
        if self._form != "table":
            return error.value
        return behind_or_ahead(error.value, self._tolerance)

    def lines(self, lines: Iterable[str]) -> list[str] | str:
        """Several sentences: a list for programs, a line each for people."""
        made = [self.text(line) for line in lines]
        return made if self.structured else "\n".join(made)
