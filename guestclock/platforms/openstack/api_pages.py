"""Lists that a service gives page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from guestclock.platforms.openstack.api_session import Answered, Json, Session


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of a service: `key` is the name of its items in the answer, `query` of its first page.

    A service says itself whether there is another page, and where: Glance in `next`, Nova and
    Cinder in `KEY_links`. Of that link only the marker counts, as proxies get its host wrong.
    """

    service: str
    version: str
    path: str
    key: str
    query: tuple[tuple[str, str], ...] = ()
    microversion: str = ""
    links: str = ""

    def items(self, session: Session) -> Iterator[Json]:
        """Each item, before the next page is asked for. Raises Answered, NoService, Unreadable."""
        query = urlencode(self.query)
        asked = {query}
        while True:
            page = session.get(self.service, self.version, self.path, query, self.microversion)
            items = page.get(self.key)
            if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
                raise session.unfit(self.path)
            yield from items
            link = self._next(page)
            if not link:
                return
            marker = dict(parse_qsl(link.partition("?")[2])).get("marker")
            if marker is None:
                raise session.unfit(self.path)
            query = urlencode({**dict(self.query), "marker": marker})
            if query in asked:
                raise Answered(
                    f"cloud {session.name}: GET {self.path}: its pages go in a ring", 200
                )
            asked.add(query)

    def single(self, session: Session) -> Json:
        """The one object that is at a path. Raises Answered, NoService, Unreadable."""
        found = session.get(self.service, self.version, self.path, "", self.microversion).get(
            self.key
        )
        if not isinstance(found, dict):
            raise session.unfit(self.path)
        return found

    def _next(self, page: Json) -> str | None:
        links = page.get(self.links or f"{self.key}_links")
        for link in links if isinstance(links, list) else ():
            if isinstance(link, dict) and link.get("rel") == "next":
                return str(link.get("href"))
        link = page.get("next")
        return link if isinstance(link, str) else None
