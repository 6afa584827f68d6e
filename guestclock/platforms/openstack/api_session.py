"""A login to a cloud, and GET on its services: pages, one after the other, and single answers."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from guestclock import __version__
from guestclock.errors import Unreadable, UsageProblem
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from openstack.connection import Connection

Answer = TypeVar("Answer")

_PATIENCE = 60
"""Seconds that one answer may take."""

_NEWEST_KNOWN = (2, 98)
_GONE = 404
_REFUSED = 403
_GOOD = 200


class Refused(Unreadable):
    """The cloud does not allow it to this user (HTTP 403)."""


class Session:
    """One cloud; nothing is sent before `open`."""

    def __init__(self, cloud: str, connection: Connection | None = None) -> None:
        self._cloud = cloud
        self._connection = connection
        self._services: dict[str, Service] = {}

    def open(self) -> None:
        """Log in. Raises UsageProblem for a cloud that is not configured, Unreadable."""
        if self._connection is None:
            self._connection = _connect(self._cloud)
        # The session itself, as the SDK makes one error of all that may be wrong with a login.
        self.call(self._connection.session.get_token)
        self._services["compute"] = Service(self, self._connection.compute, "Nova")
        self._services["image"] = Service(self, self._connection.image, "Glance")
        self.compute.negotiate()

    @property
    def compute(self) -> Service:
        """Nova."""
        return self._services["compute"]

    @property
    def image(self) -> Service:
        """Glance."""
        return self._services["image"]

    @property
    def block_storage(self) -> Service | None:
        """Cinder, None where the cloud's catalogue has none."""
        if "volume" not in self._services:
            from keystoneauth1.exceptions import EndpointNotFound

            connection = self._connection
            assert connection is not None
            config = connection.config
            try:
                # The catalogue itself is asked: releases of the SDK differ in what they raise.
                endpoint = connection.session.get_endpoint(
                    service_type="block-storage",
                    interface=config.get_interface("block-storage"),
                    region_name=config.get_region_name("block-storage"),
                )
            except EndpointNotFound:
                endpoint = None
            if endpoint is None:
                return None
            self._services["volume"] = Service(self, connection.block_storage, "Cinder")
        return self._services["volume"]

    def call(self, request: Callable[[], Answer]) -> Answer:
        """What a request gives. Raises Unreadable with one line, free of secrets."""
        from keystoneauth1 import exceptions as keystone
        from openstack import exceptions as sdk

        try:
            return request()
        except keystone.Unauthorized:
            raise self.failed(
                "it refuses the login", "check the password, or get a new token"
            ) from None
        except (keystone.ConnectFailure, keystone.DiscoveryFailure) as problem:
            raise self.failed(f"it does not answer: {self._told(problem)}") from None
        except (keystone.MissingAuthPlugin, keystone.MissingRequiredOptions) as problem:
            raise self.failed(
                f"its credentials are not complete: {self._told(problem)}", "see its clouds.yaml"
            ) from None
        except (keystone.ClientException, sdk.SDKException) as problem:
            raise self.failed(self._told(problem)) from None
        except ValueError:
            raise self.failed("it answered something else than JSON") from None

    def failed(self, reason: str, hint: str | None = None) -> Unreadable:
        """An error that names the cloud."""
        return Unreadable(f"cloud {self._cloud}: {reason}", hint)

    def _told(self, problem: Exception) -> str:
        """The first line of an error, without what the cloud's configuration keeps secret."""
        text = clean(str(problem)) or type(problem).__name__
        config = getattr(self._connection, "config", None)
        secrets = getattr(config, "config", {}).get("auth", {}) if config is not None else {}
        for name, value in secrets.items():
            if isinstance(value, str) and value and _is_secret(name):
                text = text.replace(value, "***")
        return text


class Service:
    """One service; `newest` is the newest microversion it offers, empty where it has none."""

    def __init__(self, session: Session, adapter: Adapter, name: str) -> None:
        self._session = session
        self._adapter = adapter
        self._name = name
        self._microversion: str | None = None
        self.newest: tuple[int, ...] = ()

    def negotiate(self) -> None:
        """Settle on the newest microversion that it and we know. Raises Unreadable."""
        data = self._session.call(self._adapter.get_endpoint_data)
        newest = getattr(data, "max_microversion", None)
        if newest:
            self.newest = tuple(newest)
            self._microversion = ".".join(map(str, min(self.newest, _NEWEST_KNOWN)))

    def pages(self, path: str, key: str, query: str = "") -> Iterator[Mapping[str, Any]]:
        """Each object of a listing, page by page. Raises Refused, Unreadable."""
        follow: str | None = query
        while follow is not None:
            answer = self._got(f"{path}?{follow}" if follow else path)
            assert answer is not None
            listed = answer.get(key)
            if not isinstance(listed, list):
                raise self._failed(path, f"its answer has no list of {key}")
            yield from (one for one in listed if isinstance(one, dict))
            follow = _next(answer, key) if listed else None

    def found(self, path: str) -> Mapping[str, Any] | None:
        """One answer, None where there is no such thing. Raises Refused, Unreadable."""
        return self._got(path, may_be_gone=True)

    def _got(self, path: str, *, may_be_gone: bool = False) -> Mapping[str, Any] | None:
        options: dict[str, Any] = {"raise_exc": False, "timeout": _PATIENCE}
        if self._microversion:
            options["microversion"] = self._microversion
        response = self._session.call(lambda: self._adapter.get(path, **options))
        if response.status_code == _GONE and may_be_gone:
            return None
        if response.status_code == _REFUSED:
            raise Refused(f"{self._name} refuses {path.partition('?')[0]} to this user")
        if response.status_code != _GOOD:
            raise self._failed(path, f"HTTP {response.status_code}")
        answer = self._session.call(response.json)
        if not isinstance(answer, dict):
            raise self._failed(path, "its answer is no object")
        return answer

    def _failed(self, path: str, reason: str) -> Unreadable:
        return self._session.failed(f"{self._name} {path.partition('?')[0]}: {reason}")


def _next(answer: Mapping[str, Any], key: str) -> str | None:
    """The query of the next page: links may name a host that only the cloud itself knows."""
    link = answer.get("next")
    for one in answer.get(f"{key}_links") or ():
        if isinstance(one, dict) and one.get("rel") == "next":
            link = one.get("href")
    return urlsplit(link).query or None if isinstance(link, str) else None


def _is_secret(name: str) -> bool:
    return any(word in name for word in ("password", "secret", "token", "passcode"))


def _connect(cloud: str) -> Connection:
    try:
        import openstack
        from openstack import exceptions
    except ModuleNotFoundError:
        raise Unreadable(
            "the Python package openstacksdk is not installed",
            "pip install 'guestclock[openstack]'",
        ) from None
    # Nothing of theirs goes to standard error: what matters is in the errors.
    for name in ("keystoneauth", "openstack"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    try:
        return openstack.connect(
            cloud=cloud, app_name="guestclock", app_version=__version__, api_timeout=_PATIENCE
        )
    except exceptions.ConfigException as problem:
        raise UsageProblem(
            f"cloud {clean(cloud)} is not configured: {clean(str(problem))}", _clouds_near(cloud)
        ) from None


def _clouds_near(cloud: str) -> str:
    from openstack import config

    names = sorted(map(str, config.OpenStackConfig().get_cloud_names()))
    near = difflib.get_close_matches(cloud, names, n=3) or names[:5]
    return f"clouds.yaml has {', '.join(map(clean, near))}" if near else "there is no clouds.yaml"
