from __future__ import annotations

import pytest

from guestclock.disks.problem import Unreachable
from guestclock.disks.remote.address import parsed, redacted, redirected


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("http://host/a/b.img", "host", "/a/b.img"),
        ("http://host", "host", "/"),
        ("http://host:80/", "host", "/"),
        ("https://host:8443/x", "host:8443", "/x"),
        ("https://[::1]:8443/x", "[::1]:8443", "/x"),
        ("http://host/a?b=c&d", "host", "/a?b=c&d"),
        ("http://host/a b\u00e4#part", "host", "/a%20b%C3%A4"),
        ("http://host/a%20b", "host", "/a%20b"),
        ("http://host/a\r\nHost: other", "host", "/aHost:%20other"),
    ],
)
def test_an_address_has_a_host_and_a_target(url: str, authority: str, target: str) -> None:
    address = parsed(url)
    assert (address.authority, address.target) == (authority, target)


@pytest.mark.parametrize(
    "url",
    ["http://", "http:///x", "ftp://host/x", "file:///etc/passwd", "http://host:x/", "http://[::1"],
)
def test_what_is_no_address_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable):
        parsed(url)


def test_a_login_is_taken_from_the_address() -> None:
    assert parsed("http://me:p%40ss@host/x").login == "Basic bWU6cEBzcw=="
    assert parsed("http://host/x").login == ""


def test_a_login_only_goes_along_to_the_same_origin() -> None:
    given = parsed("https://me:secret@host/x")
    assert redirected(given, "/y").login == given.login
    assert redirected(given, "https://host:443/y").login == given.login
    for other in ("https://host:444/y", "https://other/y", "//other/y"):
        assert redirected(given, other).login == ""


@pytest.mark.parametrize("location", ["ftp://host/x", "file:///etc/passwd", "gopher:x"])
def test_a_redirect_leads_to_http_or_nowhere(location: str) -> None:
    with pytest.raises(Unreachable, match="redirects to what is no address"):
        redirected(parsed("https://host/x"), location)


def test_a_redirect_never_leaves_tls() -> None:
    with pytest.raises(Unreachable, match="from https to http"):
        redirected(parsed("https://host/x"), "http://host/x")
    assert redirected(parsed("http://host/x"), "https://host/x").scheme == "https"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:secret@host:1/x?token=secret#secret", "https://***@host:1/x?***"),
        ("https://secret@host/x", "https://***@host/x"),
        ("https://host/x", "https://host/x"),
        ("https://a@secret@host/x", "https://***@host/x"),
        ("http://[secret", "http://***"),
    ],
)
def test_what_may_be_a_secret_is_not_shown(url: str, shown: str) -> None:
    assert redacted(url) == shown
