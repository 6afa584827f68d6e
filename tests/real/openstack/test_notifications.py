"""`guestclock listen` on a real broker, to which a real Nova sends what happens to its servers."""

from __future__ import annotations

import shlex
import signal
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import amqp
import msgspec
import oslo_messaging
import pytest
from oslo_config.cfg import ConfigOpts

from guestclock.platforms.interface import Note
from guestclock.platforms.openstack.notice import ImageNotice, ServerNotice, notice_of
from guestclock.platforms.openstack.notifications import read_notifications
from guestclock.platforms.openstack.records import Notified
from tests.real.openstack.cloud import Cloud
from tests.real.openstack.listening import Rabbit, Way, listener, started, until
from tests.real.openstack.running import Bed

pytestmark = pytest.mark.real

POOL = "guestclock-suite"
OPTIONS = ("--pool", POOL)
SHARED = ("versioned_notifications.info", "versioned_notifications.error")
PASSWORD = "n0t-for-the-screen"
HOST = "guestclock-suite"
"""A virtual host of the tests' own, for exchanges that the bed does not have."""


@pytest.fixture
def rabbit(bed: Bed) -> Iterator[Rabbit]:
    """The broker, on which no queue of ours is left."""
    rabbit = Rabbit(bed)
    _forget(rabbit)
    yield rabbit
    _forget(rabbit)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "nova.jsonl"


def _forget(rabbit: Rabbit) -> None:
    if POOL in rabbit.queues():
        rabbit.control("delete_queue", POOL)


def shared(rabbit: Rabbit) -> int:
    """The messages that wait for readers who share them."""
    queues = rabbit.queues()
    return sum(queues.get(name, 0) for name in SHARED)


def known(record: Path) -> dict[str, Notified]:
    """What a record says; that it can be read as a whole is asserted on the way."""
    found, told = read_notifications(str(record))
    assert all("no versioned notification" in str(one) for one in told), told
    return found


def events(record: Path, server: str | None = None) -> list[str]:
    """The events of a record, or those of one server: others may use the bed as well."""
    notices = [notice_of(line) for line in _lines(record)]
    return [
        notice.event
        for notice in notices
        if notice is not None
        and (server is None or (isinstance(notice, ServerNotice) and notice.server == server))
    ]


def _lines(record: Path) -> list[Any]:
    return [msgspec.json.decode(line) for line in record.read_bytes().splitlines()]


def send(url: str, exchange: str, topic: str, publisher: str, event: str, payload: object) -> None:
    """Sends a notification as Nova and Glance do: with oslo.messaging."""
    oslo_messaging.set_transport_defaults(exchange)
    conf = ConfigOpts()
    conf([], default_config_files=[], default_config_dirs=[])
    transport = oslo_messaging.get_notification_transport(conf, url=url)
    notifier = oslo_messaging.Notifier(
        transport, publisher_id=publisher, driver="messagingv2", topics=[topic]
    )
    notifier.info({}, event, payload)
    transport.cleanup()


@contextmanager
def channel(rabbit: Rabbit) -> Iterator[Any]:
    """The broker's own protocol, in the virtual host of the tests."""
    name, port = rabbit.address
    user, _, password = rabbit.bed.transport_url.split("//")[1].split("@")[0].partition(":")
    with amqp.Connection(f"{name}:{port}", user, password, virtual_host=HOST) as connection:
        yield connection.channel()


def declare(rabbit: Rabbit, exchange: str, *, durable: bool) -> None:
    with channel(rabbit) as opened:
        opened.exchange_declare(exchange, "topic", durable=durable, auto_delete=False)


def own_url(rabbit: Rabbit) -> str:
    """The bed's own user in the virtual host of the tests."""
    return rabbit.bed.transport_url.rstrip("/") + f"/{HOST}"


def test_a_server_is_recorded_with_the_rights_that_are_printed_and_nothing_is_taken(
    rabbit: Rabbit, cloud: Cloud, record: Path
) -> None:
    with started(rabbit.bed.transport_url, record, *OPTIONS) as first:
        first.await_line("listening on")
        assert first.end() == 0
    commands = [line.partition(":   ")[2] for line in first.said if "rabbitmqctl" in line]
    assert len(commands) == 2
    rabbit.control("delete_queue", POOL)
    with rabbit.user("guestclock", PASSWORD):
        try:
            for command in commands:
                rabbit.control(*shlex.split(command)[1:])
            url = rabbit.url("guestclock", PASSWORD)
            before = shared(rabbit)
            with listener(url, record, *OPTIONS) as listening:
                image = cloud.public_images["Windows-wrong-case"]
                server = cloud.created("notified", image)
                until(
                    lambda: "instance.create.end" in events(record, server), "instance.create.end"
                )
                taken = before + len(events(record)) - shared(rabbit)
                assert listening.end() == 0
            policies = rabbit.control("list_queues", "name", "policy")
        finally:
            rabbit.control("clear_policy", POOL)
    found = known(record)[server]
    assert (found.os_type, found.host, found.image) == ("Windows", "bed", image)
    assert found.rescue_image is None
    assert taken <= 0
    assert f"{POOL}\t{POOL}" in policies
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert cloud.prefix not in record.read_text()
    assert PASSWORD not in "".join(listening.said)


def test_a_rescue_is_known_with_its_image_and_a_deleted_server_is_not(
    rabbit: Rabbit, cloud: Cloud, record: Path
) -> None:
    with listener(rabbit.bed.transport_url, record, *OPTIONS):
        server = cloud.created("rescued", cloud.public_images["windows"])
        other = cloud.public_images["plain"]
        cloud.act(server, "rescue", "RESCUE", rescue_image_ref=other)
        until(lambda: "instance.rescue.end" in events(record, server), "instance.rescue.end")
        assert known(record)[server].rescue_image == other
        cloud.act(server, "unrescue", "ACTIVE")
        until(lambda: "instance.unrescue.end" in events(record, server), "instance.unrescue.end")
        assert known(record)[server].rescue_image is None
        cloud.api.compute.delete_server(server)
        until(lambda: "instance.delete.end" in events(record, server), "instance.delete.end")
        assert server not in known(record)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (signal.SIGKILL, -9)]
)
def test_what_happens_while_nobody_listens_is_recorded_afterwards(
    rabbit: Rabbit, cloud: Cloud, record: Path, number: signal.Signals, code: int
) -> None:
    image = cloud.public_images["windows"]
    with listener(rabbit.bed.transport_url, record, *OPTIONS) as listening:
        before = cloud.created(f"before-{number}", image)
        assert listening.end(number) == code
    with record.open("ab") as file:
        # A disk that was full as the recorder died.
        file.write(b'{"event_type":"instance.upd')
    after = cloud.created(f"after-{number}", image)
    assert rabbit.queues()[POOL] > 0
    with listener(rabbit.bed.transport_url, record, *OPTIONS) as listening:
        until(lambda: rabbit.queues()[POOL] == 0, "an empty queue")
        assert listening.end() == 0
    found, told = read_notifications(str(record))
    assert {before, after} <= found.keys()
    (note,) = told
    assert isinstance(note, Note)
    assert note.text.startswith("1 line that is no notification")


def test_a_broken_connection_is_made_again_and_a_lost_broker_holds_up_no_end(
    rabbit: Rabbit, cloud: Cloud, record: Path
) -> None:
    way = Way(rabbit.address)
    url = rabbit.bed.transport_url.replace(str(rabbit.address[1]), str(way.port))
    with listener(url, record, *OPTIONS) as listening:
        start = len(listening.said)
        way.break_connections()
        server = cloud.created("again", cloud.public_images["windows"])
        until(lambda: record.exists() and server in known(record), server)
        assert len(listening.said) > start
        start = len(listening.said)
        way.cut()
        listening.await_line("Connection refused", start)
        assert listening.end() == 0
    assert not set(rabbit.bed.secrets()) & set(" ".join(listening.said).replace(":", " ").split())


def test_what_cannot_be_recorded_goes_back_to_the_queue(
    rabbit: Rabbit, cloud: Cloud, record: Path
) -> None:
    with started(rabbit.bed.transport_url, record, *OPTIONS, largest=600) as listening:
        listening.await_line("listening on")
        server = cloud.created("full", cloud.public_images["windows"])
        assert listening.ended() == 3
    assert "cannot be written" in listening.said[-1]
    with listener(rabbit.bed.transport_url, record, *OPTIONS) as listening:
        until(lambda: known(record).get(server) is not None, server)
        until(lambda: rabbit.queues()[POOL] == 0, "an empty queue")
        assert listening.end() == 0
    wanted = ["instance.create.start", "instance.create.end"]
    assert [event for event in events(record, server) if event in wanted] == wanted


@pytest.mark.parametrize("durable", [False, True])
def test_exchanges_are_used_as_their_owners_made_them(
    rabbit: Rabbit, record: Path, durable: bool
) -> None:
    with rabbit.virtual_host(HOST):
        declare(rabbit, "nova", durable=durable)
        declare(rabbit, "glance", durable=durable)
        url = own_url(rabbit)
        image, server = str(uuid4()), str(uuid4())
        with listener(url, record, *OPTIONS):
            sender = f"{url}?amqp_durable_queues={durable}"
            payload = {"id": image, "properties": {"os_type": "windows", "note": PASSWORD}}
            send(sender, "glance", "notifications", "image.host", "image.update", payload)
            fields = {"nova_object.data": {"uuid": server, "os_type": "windows"}}
            event = ("nova-compute:host", "instance.update", fields)
            send(sender, "nova", "versioned_notifications", *event)
            until(lambda: len(events(record)) == 2, "both notifications")
    notices = [notice_of(line) for line in _lines(record)]
    (of_image,) = [notice for notice in notices if isinstance(notice, ImageNotice)]
    assert (of_image.image, of_image.properties) == (image, {"os_type": "windows"})
    assert list(known(record)) == [server]
    assert PASSWORD not in record.read_text()


def test_no_exchange_is_made_where_nova_sends_nothing(rabbit: Rabbit, record: Path) -> None:
    with rabbit.virtual_host(HOST):
        before = rabbit.exchanges(HOST)
        with started(own_url(rabbit), record, *OPTIONS) as listening:
            assert listening.ended() == 3
        assert "this virtual host has no exchange 'nova'" in listening.said[0]
        assert rabbit.exchanges(HOST) == before
        declare(rabbit, "nova", durable=False)
        with listener(own_url(rabbit), record, *OPTIONS) as listening:
            assert listening.end() == 0
        assert "changes of images are not recorded" in listening.said[0]
        assert rabbit.exchanges(HOST) == before | {"nova"}


def test_exchanges_that_no_one_queue_fits_leave_images_out(rabbit: Rabbit, record: Path) -> None:
    with rabbit.virtual_host(HOST):
        declare(rabbit, "nova", durable=True)
        declare(rabbit, "glance", durable=False)
        with listener(own_url(rabbit), record, *OPTIONS) as listening:
            assert listening.end() == 0
        assert "not as durable as Nova's" in listening.said[0]


def test_a_queue_of_another_kind_is_said(rabbit: Rabbit, record: Path) -> None:
    with rabbit.virtual_host(HOST):
        declare(rabbit, "nova", durable=True)
        with channel(rabbit) as opened:
            opened.queue_declare(POOL, durable=False, auto_delete=False)
        with started(own_url(rabbit), record, *OPTIONS) as listening:
            assert listening.ended() == 3
    assert "delete that queue" in listening.said[-1]


def test_a_user_without_rights_is_told_so(rabbit: Rabbit, record: Path) -> None:
    with rabbit.user("guestclock", PASSWORD):
        for url, reason in (
            (rabbit.url("guestclock", "wr0ng-" + PASSWORD), "ACCESS_REFUSED - Login was refused"),
            (rabbit.url("guestclock", PASSWORD), "access to vhost '/' refused"),
            (rabbit.url("guestclock", PASSWORD, "nowhere"), "vhost nowhere not found"),
        ):
            assert reason in refused(url, record)
        # May read, but not make a queue.
        rabbit.control("set_permissions", "guestclock", "", "", ".*")
        assert "ACCESS_REFUSED" in refused(rabbit.url("guestclock", PASSWORD), record)
        rabbit.control("set_permissions", "guestclock", "^nova$", "", ".*")
        assert "ACCESS_REFUSED" in refused(rabbit.url("guestclock", PASSWORD), record)


def refused(url: str, record: Path) -> str:
    """What a listener says that ends by itself."""
    with started(url, record, *OPTIONS) as listening:
        assert listening.ended() == 3
    said = "\n".join(listening.said)
    assert PASSWORD not in said
    return said
