"""Addresses of images, and how they are shown: without what may be a secret in them."""

from __future__ import annotations

import base64
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from guestclock.disks.problem import Unreachable

_HIDDEN = "***"
_PORTS = {"http": 80, "https": 443}
# What stands for itself in a path or a query; all else is written as %XX.
_PLAIN = "%/:=&?~+!$,;'@()*[]"


class Address(NamedTuple):
    """An address in its parts. `target` is the path with the query, `login` what HTTP's Basic
    takes for the user and the password, empty where there are none.
    """

    scheme: str
    host: str
    port: int
    target: str
    login: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        """What has to be the same for a login to be sent."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """The host and the port as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parsed(url: str) -> Address:
    """The parts of an http or https address. Raises Unreachable where it is none."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise Unreachable("it is no address") from None
    if parts.scheme not in _PORTS or not host or "\0" in url:
        raise Unreachable("it is no address of http or https")
    path = quote(parts.path or "/", _PLAIN)
    query = f"?{quote(parts.query, _PLAIN)}" if parts.query else ""
    return Address(parts.scheme, host, port or _PORTS[parts.scheme], path + query, _login(parts))


def redirected(address: Address, location: str) -> Address:
    """Where a server sends us. Raises Unreachable where that is out of bounds.

    The login only goes along to the same origin, and nothing goes from https to http.
    """
    base = f"{address.scheme}://{address.authority}{address.target}"
    try:
        new = parsed(urljoin(base, location))
    except (ValueError, Unreachable):
        raise Unreachable("the server redirects to what is no address of http or https") from None
    if address.scheme == "https" and new.scheme == "http":
        raise Unreachable(
            "the server redirects from https to http, which is not followed: give that address"
        )
    login = address.login if new.origin == address.origin else ""
    return new._replace(login=new.login or login)


def redacted(url: str) -> str:
    """An address for messages and records: no user, no password, no query, no fragment."""
    try:
        parts = urlsplit(url)
        user, at, host = parts.netloc.rpartition("@")
    except ValueError:
        return url.partition("://")[0] + "://" + _HIDDEN
    netloc = f"{_HIDDEN}@{host}" if at or user else host
    query = f"?{_HIDDEN}" if parts.query else ""
    return f"{parts.scheme}://{netloc}{parts.path}{query}"


def _login(parts: SplitResult) -> str:
    if parts.username is None and parts.password is None:
        return ""
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
