"""One notification of Nova or Glance, cut down to the fields that are used.

The rest of a payload is dropped, as it may hold what users would not want in a file: addresses,
names, metadata. The fields that are kept have the names and the texts that their sender gave them,
so that a recorded line and a raw notification are read by the same code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

LONGEST: Final = 255
"""Characters: no column that a field comes from is wider."""

_PROPERTIES = ("os_type", "os_distro", "os_version", "image_type", "base_image_ref")
_IMAGE_EVENTS = ("image.create", "image.update")
_EMPTY: Mapping[str, object] = {}


class BadNotice(ValueError):
    """A text that is no notification, or one with fields that Nova or Glance cannot have sent."""


@dataclass(frozen=True, slots=True)
class ServerNotice:
    """What an `instance.*` notification says of a server; `os_type` is the raw column.

    `at` is when its sender made it, by the sender's clock (aware). `rescue_image` is None where
    none was named, and `tells_of_rescue` says whether the notification is one that could name it.
    """

    server: str
    event: str
    publisher: str
    at: datetime
    os_type: str | None
    host: str
    image: str
    state: str
    task: str
    tells_of_rescue: bool
    rescue_image: str | None

    @property
    def is_deleted(self) -> bool:
        """Whether the server is gone."""
        return self.event == "instance.delete.end" or self.state == "deleted"

    @property
    def runs_as_itself(self) -> bool:
        """Whether a rescue, if there was one, is over."""
        running = self.state == "active" and not self.task
        return running or self.event == "instance.unrescue.end"


@dataclass(frozen=True, slots=True)
class ImageNotice:
    """What `image.create` or `image.update` says of an image: its properties after the change."""

    image: str
    event: str
    publisher: str
    at: datetime
    properties: Mapping[str, str]


Notice: TypeAlias = ServerNotice | ImageNotice


def notice_of(message: object) -> Notice | None:
    """What a decoded message says, or None where it is of something else.

    `message` is a notification as oslo.messaging gives it, the same in the envelope in which a
    broker stores it, or a recorded line. Raises BadNotice.
    """
    message = _opened(message)
    event = message.get("event_type")
    if not isinstance(event, str):
        raise BadNotice("no event_type")
    if event.startswith("instance."):
        fields = _fields(message)
        return _of_server(message, fields) if "os_type" in fields else None
    return _of_image(message, _fields(message)) if event in _IMAGE_EVENTS else None


def line_of(notice: Notice) -> bytes:
    """A recorded line, with its end."""
    line: dict[str, object] = {
        "event_type": notice.event,
        "publisher_id": notice.publisher,
        "timestamp": notice.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
    }
    match notice:
        case ServerNotice():
            line |= {
                "uuid": notice.server,
                "os_type": notice.os_type,
                "host": notice.host,
                "image_uuid": notice.image,
                "state": notice.state,
                "task_state": notice.task,
            }
            if notice.tells_of_rescue:
                line["rescue_image_ref"] = notice.rescue_image
        case ImageNotice():
            line |= {"id": notice.image, "properties": dict(notice.properties)}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _opened(message: object) -> Mapping[str, object]:
    """The message without the envelope of oslo.messaging."""
    if isinstance(message, dict) and isinstance(inner := message.get("oslo.message"), str):
        try:
            message = json.loads(inner)
        except (ValueError, RecursionError) as problem:
            raise BadNotice("an envelope without a message") from problem
    if not isinstance(message, dict):
        raise BadNotice("no object")
    return message


def _fields(message: Mapping[str, object]) -> Mapping[str, object]:
    """The fields of a payload, versioned or plain, or those of a recorded line itself."""
    if "payload" not in message:
        return message
    payload = message["payload"]
    inner = payload.get("nova_object.data", payload) if isinstance(payload, dict) else None
    return inner if isinstance(inner, dict) else _EMPTY


def _of_server(message: Mapping[str, object], fields: Mapping[str, object]) -> ServerNotice:
    return ServerNotice(
        server=_uuid(fields, "uuid"),
        event=_text(message, "event_type") or "",
        publisher=_text(message, "publisher_id") or "",
        at=_at(message),
        os_type=_text(fields, "os_type"),
        host=_text(fields, "host") or "",
        image=_text(fields, "image_uuid") or "",
        state=_text(fields, "state") or "",
        task=_text(fields, "task_state") or "",
        tells_of_rescue="rescue_image_ref" in fields,
        rescue_image=_text(fields, "rescue_image_ref"),
    )


def _of_image(message: Mapping[str, object], fields: Mapping[str, object]) -> ImageNotice:
    properties = fields.get("properties")
    if not isinstance(properties, dict):
        raise BadNotice("no properties")
    found = {name: _text(properties, name) for name in _PROPERTIES}
    return ImageNotice(
        image=_uuid(fields, "id"),
        event=_text(message, "event_type") or "",
        publisher=_text(message, "publisher_id") or "",
        at=_at(message),
        properties={name: text for name, text in found.items() if text is not None},
    )


def _uuid(fields: Mapping[str, object], name: str) -> str:
    text = _text(fields, name) or ""
    try:
        return str(UUID(text))
    except ValueError:
        raise BadNotice(f"{name} is no UUID") from None


def _text(fields: Mapping[str, object], name: str) -> str | None:
    text = fields.get(name)
    if text is None:
        return None
    if not isinstance(text, str) or len(text) > LONGEST:
        raise BadNotice(f"{name} is no text of up to {LONGEST} characters")
    # JSON can spell half a character, which no output could be made of.
    if not text.isascii() and any("\ud800" <= one <= "\udfff" for one in text):
        raise BadNotice(f"{name} is no Unicode text")
    # The same few hosts, images and states come again with every server.
    return sys.intern(text)


def _at(message: Mapping[str, object]) -> datetime:
    """The sender's time; oslo.messaging writes UTC without saying so."""
    try:
        at = datetime.fromisoformat(_text(message, "timestamp") or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadNotice("timestamp is no instant") from None
