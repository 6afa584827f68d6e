"""What a server's os_type is, by the best source at hand.

instances.os_type is in Nova's database and in its notifications. Where neither was given it
follows from what Nova made of it, or from what it was copied from, if that was not changed since.
"""

from __future__ import annotations

from datetime import datetime

from guestclock.clock import Localtime, Utc
from guestclock.evidence import Inferred, Observed, Unknown, value_of
from guestclock.machine import Facts
from guestclock.platforms.openstack.records import NO_COLUMN, Cloud, OsType, Server
from guestclock.words import instant


def resolved(server: Server, cloud: Cloud, domain: Facts | None) -> OsType:
    """The server's os_type: read, or inferred in the order of how sure each way is."""
    if not isinstance(server.column, Unknown):
        return server.column
    notified = cloud.notified.get(server.id)
    if notified is not None:
        where = f"notification {notified.event} of {instant(notified.at)}"
        return Observed(notified.os_type, where)
    if domain is not None:
        seen = _by_definition(server, cloud, domain)
        if seen is not None:
            return seen
    if not isinstance(server.metadata, Unknown):
        where = "the server's metadata, which were copied at the same time"
        return Inferred(server.metadata.value, where)
    return _by_image(server, cloud)


def made_at(server: Server) -> datetime | None:
    """When Nova last read the image: the last creation or rebuild that is known."""
    if not isinstance(server.made, Unknown) and server.made:
        return server.made[-1].at
    return server.created_at


def _by_definition(server: Server, cloud: Cloud, domain: Facts) -> OsType | None:
    """Nova writes localtime for `windows` alone, so that a definition tells that much."""
    definition = value_of(domain.definition)
    where = f"{'inactive' if domain.asked else 'dumped'} definition, which Nova wrote of it"
    match definition.base if definition else None:
        case Localtime():
            return Inferred("windows", where)
        case Utc():
            image = cloud.images.get(server.image)
            told = (value_of(server.metadata), image.os_type if image else None)
            # Whatever it is, it is not `windows`: the best guess at it is what it came from.
            other = next((one for one in told if one and one != "windows"), None)
            return Inferred(other, f"{where}: it is not windows")
        case _:
            return None


def _by_image(server: Server, cloud: Cloud) -> OsType:
    made = made_at(server)
    if not server.image:
        return NO_COLUMN
    image = cloud.images.get(server.image)
    if image is None:
        gone = "its image is gone" if cloud.images_read else "its image was not read"
        return Unknown(f"{NO_COLUMN.reason}, and {gone}", NO_COLUMN.settle)
    changed = value_of(image.os_type_set_at) or image.updated_at
    if not isinstance(image.os_type_set_at, Unknown) and image.os_type_set_at.value is None:
        return Inferred(None, "its image never had one")
    if made is None or changed is None or changed > made:
        return Unknown(
            f"{NO_COLUMN.reason}, and its image was changed after the server was made",
            NO_COLUMN.settle,
        )
    return Inferred(image.os_type, "its image, which was not changed since the server was made")
