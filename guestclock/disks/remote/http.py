"""A file on a web server, by HTTP/1.1 over one connection that is kept, and proxies as curl's."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.request import getproxies, proxy_bypass

from guestclock import __version__
from guestclock.disks.budget import Budget
from guestclock.disks.problem import Unreachable
from guestclock.disks.remote.address import Address, parsed, redirected
from guestclock.disks.remote.ranges import Answer, opened
from guestclock.disks.source import Source

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MOST_REDIRECTS = 5
# A place that a redirect once led to may be good for a while only.
_EXPIRED = frozenset((401, 403, 404, 410))
_PATIENCE = 15.0
_PIECE = 1 << 16
# What a server does to a connection that it kept long enough.
_STALE = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)


def at_address(url: str) -> Callable[[Budget], Source]:
    """What opens the file at an http or https address; asks nobody before."""
    return lambda budget: opened(HttpTransport(parsed(url)), budget)


class HttpTransport:
    """Asks for parts of one file; redirects are followed once, and their end remembered."""

    def __init__(self, address: Address) -> None:
        self._given = address
        self._address = address
        self._connection: HTTPConnection | None = None

    @contextmanager
    def get(self, first: int, last: int, patience: float) -> Iterator[Answer]:
        """The answer for bytes `first` to `last`. Raises Unreachable."""
        with self._watched(patience):
            response = self._final(first, last)
            headers = {name.lower(): value for name, value in response.getheaders()}
            try:
                yield Answer(response.status, headers, _pieces(response))
            finally:
                # What is left of an answer is not worth reading.
                if response.length != 0:
                    self._close()
                response.close()

    @contextmanager
    def _watched(self, patience: float) -> Iterator[None]:
        """Cuts the connection when the time is over, and turns errors into ours.

        A server that gives a byte now and then would never run into a time-out of a socket.
        """
        watch = threading.Timer(patience, self._cut)
        watch.daemon = True
        watch.start()
        try:
            yield
        except (OSError, HTTPException, ValueError) as problem:
            self._close()
            raise Unreachable(f"asking the server: {_said(problem)}") from None
        finally:
            watch.cancel()

    def _final(self, first: int, last: int) -> HTTPResponse:
        """The answer after all redirects."""
        moved = self._address is not self._given
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._asked(first, last)
            if moved and response.status in _EXPIRED:
                moved = False
                self._move(self._given)
                continue
            if response.status not in _REDIRECTS:
                return response
            self._move(redirected(self._address, response.getheader("Location") or ""))
        raise Unreachable(f"the server redirects more than {_MOST_REDIRECTS} times")

    def _move(self, address: Address) -> None:
        self._close()
        self._address = address

    def _asked(self, first: int, last: int) -> HTTPResponse:
        kept = self._connection is not None
        try:
            return self._request(first, last)
        except _STALE:
            if not kept:
                raise
            self._close()
            return self._request(first, last)

    def _request(self, first: int, last: int) -> HTTPResponse:
        address = self._address
        proxy = _proxy_of(address)
        if self._connection is None:
            self._connection = _connection(address, proxy)
        headers = {
            "Host": address.authority,
            "Range": f"bytes={first}-{last}",
            "Accept-Encoding": "identity",
            "User-Agent": f"guestclock/{__version__}",
        }
        if address.login:
            headers["Authorization"] = address.login
        target = address.target
        if proxy and address.scheme == "http":
            target = f"http://{address.authority}{target}"
            if proxy.login:
                headers["Proxy-Authorization"] = proxy.login
        self._connection.request("GET", target, headers=headers)
        return self._connection.getresponse()

    def _cut(self) -> None:
        connection = self._connection
        sock = connection.sock if connection else None
        if sock is not None:
            # Not the TLS socket's own method, which changes what the other thread works with.
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connection(address: Address, proxy: Address | None) -> HTTPConnection:
    host, port = (proxy.host, proxy.port) if proxy else (address.host, address.port)
    if address.scheme == "http":
        return HTTPConnection(host, port, timeout=_PATIENCE)
    context = ssl.create_default_context()
    connection = HTTPSConnection(host, port, timeout=_PATIENCE, context=context)
    if proxy:
        login = {"Proxy-Authorization": proxy.login} if proxy.login else {}
        connection.set_tunnel(address.host, address.port, login)
    return connection


def _proxy_of(address: Address) -> Address | None:
    """The proxy that the environment names for an address, None where it names none."""
    given = getproxies().get(address.scheme)
    if not given or proxy_bypass(f"{address.host}:{address.port}"):
        return None
    proxy = given if "://" in given else f"http://{given}"
    if not proxy.startswith("http://"):
        raise Unreachable(f"the proxy for {address.scheme} is not one of http, as is needed here")
    return parsed(proxy)


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    while piece := response.read1(_PIECE):
        yield piece


def _said(problem: Exception) -> str:
    """An error's words where they are the system's, else its name: a server chooses others."""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {problem.verify_message}"
    if isinstance(problem, TimeoutError):
        return "it does not answer"
    if isinstance(problem, OSError) and problem.strerror:
        return problem.strerror
    if str(problem).startswith("Tunnel connection failed"):
        return "the proxy does not let us through"
    return type(problem).__name__
