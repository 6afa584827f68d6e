"""A cloud's API, asked with GET, beside the POST that gets a token and what a lever needs.

openstacksdk reads clouds.yaml and keystoneauth signs in, again whenever the token runs out. Answers
are read as the JSON that they are: the SDK's own records drop what they do not know, and take
several times as long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from guestclock.errors import Unreadable
from guestclock.platforms.openstack.api_config import cloud_region
from guestclock.platforms.openstack.api_secrets import Secrets
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from openstack.config.cloud_region import CloudRegion

Json: TypeAlias = dict[str, Any]

_SIGN_IN_SECONDS = 20.0
_ANSWER_SECONDS = 120.0
"""Nova itself waits 60 seconds for a cell that does not answer; api_timeout in clouds.yaml wins."""

_BUSY = (429, 503)
_TRIES_AGAIN = 2


class Answered(Unreadable):
    """A service answered, and its answer is no list: `status` is the HTTP one."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NoService(Unreadable):
    """The catalogue has no such service."""


class Session:
    """One cloud of clouds.yaml, or of the OS_ variables where it is called `envvars`."""

    def __init__(self, cloud: str, region: CloudRegion | None = None) -> None:
        self.name = cloud
        self._region = region
        self._secrets = Secrets()
        self._adapters: dict[str, Adapter] = {}
        # Here and not in the thread that signs in: keystoneauth1 takes osprofiler along where an
        # OpenStack service is installed, and that eventlet, which makes `threading` anew and takes
        # from the thread that imports it what others would wait for at its end.
        with suppress(ModuleNotFoundError):
            import_module("keystoneauth1.session")

    def connect(self) -> None:
        """Signs in. Raises UsageProblem for a cloud that is not configured, and Unreadable."""
        region = self._region = cloud_region(self.name) if self._region is None else self._region
        self.name = self.name or clean(region.name or "")
        self._secrets.learn(region.config.get("auth"))
        session = region.get_session()
        patience = session.timeout
        session.timeout = patience or _SIGN_IN_SECONDS
        with self._failing("signing in"):
            self._secrets.add(session.get_token())
        session.timeout = patience or _ANSWER_SECONDS

    @property
    def project(self) -> str:
        """The id of the project that the token is for; empty where it is for none."""
        with self._failing("signing in"):
            return self._signed_in().get_session().get_project_id() or ""

    def other_regions(self) -> list[str]:
        """The names of the catalogue's other regions that have servers."""
        from keystoneauth1.identity.base import BaseIdentityPlugin

        region = self._signed_in()
        session = region.get_session()
        if not isinstance(session.auth, BaseIdentityPlugin):
            return []
        with self._failing("reading the catalogue"):
            catalogue = session.auth.get_access(session).service_catalog
            endpoints = catalogue.get_endpoints("compute", region.get_interface("compute"))
        found = [str(one["region_id"]) for one in endpoints.get("compute", ()) if one]
        # Without a name for it, keystoneauth takes the first.
        mine = region.get_region_name("compute") or "".join(found[:1])
        return sorted({*found} - {mine})

    def max_microversion(self, service: str) -> tuple[int, int] | None:
        """The newest microversion that a service offers, None where it offers none."""
        with self._failing(f"asking {service} for its version"):
            adapter, _ = self._adapter(service)
            data = adapter.get_endpoint_data()
        newest = None if data is None else data.max_microversion
        return None if newest is None else (int(newest[0]), int(newest[1]))

    def get(
        self, service: str, version: str, path: str, query: str = "", microversion: str = ""
    ) -> Json:
        """The JSON object at a path such as `servers/detail` of a service's API `version`.

        The version stands before the path unless the catalogue's URL has one already. Raises
        Answered, NoService, Unreadable.
        """
        with self._failing(f"GET {path}"):
            adapter, endpoint = self._adapter(service)
            url = _versioned(endpoint, version, path)
            answer = adapter.get(
                f"{url}?{query}" if query else url,
                headers={"Accept": "application/json"},
                microversion=microversion or None,
                retriable_status_codes=_BUSY,
                status_code_retries=_TRIES_AGAIN,
            )
        try:
            read = json.loads(answer.content)
        except (ValueError, RecursionError):
            raise self.unfit(path) from None
        if not isinstance(read, dict):
            raise self.unfit(path)
        return read

    def post(self, service: str, version: str, path: str, body: Json) -> None:
        """Asks for something to be done, once, and takes no answer. Raises as `get` does."""
        with self._failing(f"POST {path}"):
            adapter, endpoint = self._adapter(service)
            adapter.post(_versioned(endpoint, version, path), json=body)

    def patch(
        self, service: str, version: str, path: str, changes: list[dict[str, str]], kind: str
    ) -> None:
        """Changes something by a JSON patch of a media type, once. Raises as `get` does."""
        with self._failing(f"PATCH {path}"):
            adapter, endpoint = self._adapter(service)
            headers = {"Content-Type": kind}
            adapter.patch(_versioned(endpoint, version, path), json=changes, headers=headers)

    def unfit(self, path: str) -> Answered:
        """The error of an answer that is not what such an API gives."""
        return Answered(self._says(f"GET {path}: the answer is not the JSON of such an API"), 200)

    def _adapter(self, service: str) -> tuple[Adapter, str]:
        """What asks a service, and its URL in the catalogue."""
        from keystoneauth1.adapter import Adapter

        if service not in self._adapters:
            region = self._signed_in()
            self._adapters[service] = Adapter(
                session=region.get_session(),
                service_type=region.get_service_type(service),
                service_name=region.get_service_name(service),
                interface=region.get_interface(service),
                region_name=region.get_region_name(service),
                endpoint_override=region.get_endpoint(service),
            )
        adapter = self._adapters[service]
        endpoint = adapter.get_endpoint()
        if endpoint is None:
            where = f" in region {clean(adapter.region_name)}" if adapter.region_name else ""
            raise NoService(self._says(f"the catalogue has no {service} service{where}"))
        return adapter, endpoint

    def _signed_in(self) -> CloudRegion:
        assert self._region is not None, "connect() comes first"
        return self._region

    def _says(self, text: str) -> str:
        return f"cloud {clean(self.name)}: {text}"

    @contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        """Turns keystoneauth's errors into ours, without a secret and without their traceback."""
        from keystoneauth1 import exceptions

        try:
            yield
        except exceptions.EndpointNotFound as problem:
            raise NoService(self._told(doing, problem)) from None
        except exceptions.Unauthorized as problem:
            hint = "check user, password and project in clouds.yaml; a token given there expires"
            raise Unreadable(self._told(doing, problem), hint) from None
        except exceptions.HttpError as problem:
            raise Answered(self._told(doing, problem), problem.http_status) from None
        except (exceptions.ConnectionError, exceptions.DiscoveryFailure) as problem:
            hint = "check auth_url and region in clouds.yaml, and that the cloud can be reached"
            raise Unreadable(self._told(doing, problem), hint) from None
        except exceptions.ClientException as problem:
            raise Unreadable(self._told(doing, problem)) from None

    def _told(self, doing: str, problem: Exception) -> str:
        text = self._secrets.hidden(" ".join(str(problem).split()))
        return self._says(f"{doing}: {clean(text)}")


def _versioned(endpoint: str, version: str, path: str) -> str:
    return f"/{path}" if _has_version(endpoint) else f"/{version}/{path}"


def _has_version(endpoint: str) -> bool:
    parts = urlsplit(endpoint).path.split("/")
    return any(part[:1] == "v" and part[1:2].isdigit() for part in parts)
