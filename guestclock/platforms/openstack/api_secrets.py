"""Keeps what signs in to a cloud out of every message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

_SECRET = re.compile(r"pass|secret|token|code|credential_secret|private|key", re.IGNORECASE)
_IN_URL = re.compile(r"(?<=://)[^/@\s]*@")
HIDDEN = "***"


class Secrets:
    """The passwords and tokens of a cloud, as they are and as a URL or JSON writes them."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, auth: object) -> None:
        """Takes what looks like a secret from the section `auth` of clouds.yaml."""
        if isinstance(auth, Mapping):
            for name, value in auth.items():
                if isinstance(value, Mapping):
                    self.learn(value)
                elif _SECRET.search(str(name)):
                    self.add(value)

    def add(self, secret: object) -> None:
        """Hides a text from now on; an empty one, or None, is none."""
        text = "" if secret is None else str(secret)
        if text:
            self._known |= {text, quote(text, safe=""), repr(text)[1:-1]}

    def hidden(self, text: str) -> str:
        """A text without the secrets, nor what a URL in it has before its host."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return _IN_URL.sub(f"{HIDDEN}@", text)
