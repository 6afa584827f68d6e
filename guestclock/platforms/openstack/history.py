"""How a server came to have its os_type, as far as records show the moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from guestclock.evidence import Unknown, value_of
from guestclock.platforms.openstack.hops import said
from guestclock.platforms.openstack.records import Action, Cloud, Image, Server
from guestclock.words import duration, instant


def history_of(server: Server, cloud: Cloud) -> tuple[str, ...]:
    """Sentences in the order of time; none where the records show nothing."""
    return tuple(_sentences(server, cloud))


def _sentences(server: Server, cloud: Cloud) -> Iterator[str]:
    made = _last_made(server)
    if made is not None:
        word = "rebuilt" if made.name == "rebuild" else "created"
        yield f"the server was {word} at {instant(made.at)}: then Nova last read the image"
    image = cloud.images.get(server.image)
    if image is not None and made is not None:
        yield from _change(image, server, made)
    notified = cloud.notified.get(server.id)
    if notified is not None:
        yield f"{notified.event} told {said(notified.os_type)} at {instant(notified.at)}"


def _last_made(server: Server) -> Action | None:
    if not isinstance(server.made, Unknown) and server.made:
        return server.made[-1]
    return Action("create", server.created_at) if server.created_at else None


def _change(image: Image, server: Server, made: Action) -> Iterator[str]:
    set_at, column = value_of(image.os_type_set_at), value_of(server.column)
    word = "rebuilt" if made.name == "rebuild" else "created"
    if set_at is not None:
        verb = "set on" if image.os_type is not None else "removed from"
        apart = _apart(set_at, made, word)
        yield f"os_type was last {verb} the image at {instant(set_at)}: {apart}"
    elif isinstance(server.column, Unknown) or column != image.os_type:
        changed = image.updated_at
        if changed is not None and isinstance(image.os_type_set_at, Unknown) and changed > made.at:
            yield (
                f"the image was last changed at {instant(changed)}: {_apart(changed, made, word)}; "
                "which property it was is in Glance's database alone (--glance-db)"
            )


def _apart(moment: datetime, made: Action, word: str) -> str:
    seconds = int((moment - made.at).total_seconds())
    when = "after" if seconds > 0 else "before"
    return f"{duration(seconds)} {when} this server was {word}"
