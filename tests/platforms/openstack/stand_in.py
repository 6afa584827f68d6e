"""A cloud that is one small HTTP server on loopback: enough of Keystone, Nova, Glance and Cinder.

It answers as they do where it matters to a reader: pages with markers, microversions, what a user
who is no admin is shown, tokens that run out. Every request is recorded.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.platforms.openstack.stand_in_items import PROJECT, Json, Numbered

_OF_ADMINS = "OS-EXT-SRV-ATTR:"


@dataclass(frozen=True)
class Request:
    """What was asked: `path` from the service's name on, and what a POST said."""

    method: str
    path: str
    query: dict[str, str]
    microversion: str
    body: Any = None


@dataclass(frozen=True)
class Refusal:
    """An answer that is an error, or no JSON."""

    status: int
    body: bytes = b'{"error": {"message": "refused"}}'


@dataclass
class StandIn:
    """The cloud, and what it does to its readers; `volumes` None is a cloud without Cinder.

    `refuse` may answer any request with an error, `page` is the most of one page, and `delay` the
    seconds that each list takes. `down` are servers in a cell that does not answer, and the links
    to further pages say that this cloud is at `links_from`.
    """

    servers: Sequence[Json] = ()
    images: Sequence[Json] = ()
    volumes: Sequence[Json] | None = None
    snapshots: Sequence[Json] = ()
    hypervisors: Sequence[Json] = ()
    services: Sequence[Json] = ()
    aggregates: Sequence[Json] = ()
    actions: dict[str, Sequence[Json]] = field(default_factory=dict)
    migrations: Sequence[Json] = ()
    down: Sequence[Json] = ()
    microversion: str = "2.98"
    admin: bool = True
    password: str = "a-password-of-the-stand-in"
    regions: Sequence[str] = ("RegionOne",)
    page: int = 1000
    delay: float = 0.0
    links_from: str = ""
    refuse: Callable[[Request], Refusal | None] = lambda _: None
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> StandIn:
        self._tokens: set[str] = set()
        self._numbers = count(1)
        self._stopped = threading.Event()
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                cloud._answer(self, None)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                cloud._answer(self, json.loads(self.rfile.read(length) or b"null"))

        for method in ("PUT", "PATCH", "DELETE", "HEAD"):
            setattr(Handler, f"do_{method}", Handler.do_POST)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def clouds_yaml(self, folder: Path, name: str = "stand-in", **other: Any) -> Path:
        """Writes a configuration that signs in to this cloud; `other` is more of it."""
        auth = {
            "auth_url": f"{self.url}/identity/v3",
            "username": "auditor",
            "password": self.password,
            "project_name": "ops",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        path = folder / "clouds.yaml"
        # JSON is YAML.
        cloud = {"auth": auth, **other}
        path.write_text(json.dumps({"clouds": {name: cloud}}), encoding="utf-8")
        return path

    def expire(self) -> None:
        """Makes every token so far worthless."""
        self._tokens.clear()

    def not_gets(self) -> list[tuple[str, str]]:
        """The requests that were no GET."""
        return [(one.method, one.path) for one in self.requests if one.method != "GET"]

    def paths(self, ending: str) -> list[Request]:
        """The requests for a path of that ending."""
        return [one for one in self.requests if one.path.endswith(ending)]

    def _answer(self, http: BaseHTTPRequestHandler, body: Any) -> None:
        url = urlsplit(http.path)
        microversion = http.headers.get("OpenStack-API-Version", "").removeprefix("compute ")
        request = Request(http.command, url.path, dict(parse_qsl(url.query)), microversion, body)
        self.requests.append(request)
        token = http.headers.get("X-Auth-Token")
        headers = {"Content-Type": "application/json"}
        answer: Json | Refusal | None = self.refuse(request)
        status = 200
        if answer is None and url.path == "/identity/v3":
            version = {"id": "v3.14", "status": "stable", "links": _link(f"{self.url}{url.path}")}
            answer = {"version": version}
        elif answer is None and url.path == "/identity/v3/auth/tokens":
            answer, token = self._sign_in(body)
            headers["X-Subject-Token"], status = token, 201
        elif answer is None and url.path.rstrip("/") == "/compute/v2.1":
            answer = {"version": self._nova(url.path)}
        elif answer is None and token not in self._tokens:
            answer = Refusal(401)
        elif answer is None:
            self._stopped.wait(self.delay)
            answer = self._resource(request)
        if isinstance(answer, Refusal):
            status, sent = answer.status, answer.body
        else:
            sent = json.dumps(answer).encode()
        http.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(sent))}.items():
            http.send_header(name, value)
        http.end_headers()
        http.wfile.write(sent)

    def _nova(self, path: str) -> Json:
        return {
            "id": "v2.1",
            "status": "CURRENT",
            "version": self.microversion,
            "min_version": "2.1" if self.microversion else "",
            "links": _link(f"{self.url}{path}"),
        }

    def _sign_in(self, body: Any) -> tuple[Json | Refusal, str]:
        given = body["auth"]["identity"]["password"]["user"]["password"]
        if given != self.password:
            return Refusal(401, b'{"error": {"message": "The request needs authentication."}}'), ""
        token = f"a-token-of-the-stand-in-{next(self._numbers)}"
        self._tokens.add(token)
        services = {"compute": "compute/v2.1", "image": "image", "identity": "identity/v3"}
        if self.volumes is not None:
            services["volumev3"] = f"volume/v3/{PROJECT}"
        catalogue = [
            {
                "type": kind,
                "name": kind,
                "id": kind,
                "endpoints": [
                    {
                        "id": f"{kind}-{region}",
                        "interface": "public",
                        "region": region,
                        "region_id": region,
                        "url": f"{self.url}/{path}",
                    }
                    for region in self.regions
                ],
            }
            for kind, path in services.items()
        ]
        domain = {"id": "default", "name": "Default"}
        return {
            "token": {
                "methods": ["password"],
                "user": {"id": "f" * 32, "name": "auditor", "domain": domain},
                "project": {"id": PROJECT, "name": "ops", "domain": domain},
                "roles": [{"id": "r", "name": "admin" if self.admin else "reader"}],
                "issued_at": "2026-11-23T00:00:00.000000Z",
                "expires_at": "2099-01-01T00:00:00.000000Z",
                "catalog": catalogue,
            }
        }, token

    def _resource(self, request: Request) -> Json | Refusal:
        service, _, path = request.path.removeprefix("/").partition("/")
        path = re.sub(rf"^v[0-9.]+/({PROJECT}/)?", "", path)
        if service == "image" and path == "images":
            return self._images(request)
        if service == "volume":
            lists = {"volumes/detail": self.volumes or (), "snapshots/detail": self.snapshots}
            return self._list(request, path.partition("/")[0], lists.get(path))
        if service == "compute":
            return self._compute(request, path)
        return Refusal(404)

    def _images(self, request: Request) -> Json | Refusal:
        hidden = request.query.get("os_hidden") == "true"
        asked = request.query.get("visibility")
        shown = self.images
        # A generated list has no hidden images and is not searched for them.
        if not isinstance(shown, Numbered):
            mine = [one for one in shown if one["os_hidden"] == hidden]
            shown = [one for one in mine if asked == "all" or one["visibility"] != "community"]
        elif hidden:
            shown = ()
        answer = self._list(request, "images", shown)
        if not isinstance(answer, Refusal):
            for link in answer.pop("images_links", ()):
                answer["next"] = link["href"].removeprefix(f"{self.url}/image")
        return answer

    def _compute(self, request: Request, path: str) -> Json | Refusal:
        if request.microversion and _number(request.microversion) > _number(self.microversion):
            return Refusal(406)
        whole = {"os-services": self.services, "os-aggregates": self.aggregates}
        paged = {"os-hypervisors/detail": self.hypervisors, "os-migrations": self.migrations}
        if not self.admin and (path in whole or path in paged):
            return Refusal(403)
        if path in whole:
            return {path.removeprefix("os-"): list(whole[path])}
        if path in paged:
            return self._list(request, path[3:].partition("/")[0], paged[path])
        if path in ("servers", "servers/detail"):
            return self._servers(request)
        _, server, *below = path.split("/")
        if below == ["os-instance-actions"]:
            answer = self._list(request, "instanceActions", self.actions.get(server))
            if not isinstance(answer, Refusal) and "instanceActions_links" in answer:
                answer["links"] = answer.pop("instanceActions_links")
            return answer
        for one in self.servers:
            if one["id"] == server:
                return {"server": self._shown(one, request)}
        return Refusal(404)

    def _servers(self, request: Request) -> Json | Refusal:
        if "all_tenants" in request.query and not self.admin:
            return Refusal(403)
        found: Sequence[Json] = self.servers
        if "all_tenants" not in request.query and not isinstance(found, Numbered):
            found = [one for one in found if one["tenant_id"] == PROJECT]
        if "name" in request.query:
            # As a database with a collation that ignores case.
            named = re.compile(request.query["name"], re.IGNORECASE)
            found = [one for one in found if named.search(one["name"])]
        elif not {"limit", "marker"} & request.query.keys():
            found = [*self.down, *found] if self.down else found
        answer = self._list(request, "servers", found)
        if not isinstance(answer, Refusal):
            answer["servers"] = [self._shown(one, request) for one in answer["servers"]]
        return answer

    def _shown(self, server: Json, request: Request) -> Json:
        """A server as this user sees it, at this microversion."""
        shown = server
        if not self.admin:
            shown = {name: server[name] for name in server if not name.startswith(_OF_ADMINS)}
        if _number(request.microversion) < (2, 98) and shown.get("image"):
            image = {name: shown["image"][name] for name in ("id", "links")}
            shown = {**shown, "image": image}
        return shown

    def _list(self, request: Request, key: str, items: Sequence[Json] | None) -> Json | Refusal:
        """A page of a list, with a link to the next."""
        if items is None:
            return Refusal(404)
        marker, begin = request.query.get("marker"), 0
        if marker is not None and isinstance(items, Numbered):
            begin = items.after(marker)
        elif marker is not None:
            ids = [str(one["id"]) for one in items]
            if marker not in ids:
                return Refusal(400)
            begin = ids.index(marker) + 1
        limit = min(int(request.query.get("limit", self.page)), self.page)
        end = min(begin + limit, len(items))
        answer: Json = {key: [items[place] for place in range(begin, end)]}
        # As all of them do: a full page may be followed by an empty one.
        if end - begin == limit:
            query = urlencode({**request.query, "marker": answer[key][-1]["id"]})
            before = self.links_from or self.url
            link = {"rel": "next", "href": f"{before}{request.path}?{query}"}
            answer[f"{key}_links"] = [link]
        return answer


def _link(url: str) -> list[Json]:
    return [{"rel": "self", "href": url}]


def _number(microversion: str) -> tuple[int, ...]:
    return tuple(int(part) for part in microversion.split(".")) if microversion else (2, 1)
