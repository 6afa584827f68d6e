"""Listens to the notifications of Nova and Glance, and takes none from anybody.

The listener has a queue of its own (oslo.messaging's `pool`), which the broker fills with copies;
the queues that the cloud's own services read are never read. Exchanges that are not there yet are
not made, as their owner would find them with settings that are not his.
"""

from __future__ import annotations

import logging
import re
import signal
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeAlias

from guestclock.errors import GuestclockError, Unreadable, UsageProblem
from guestclock.platforms.openstack.broker import TOPICS, Broker, Found, advice
from guestclock.platforms.openstack.notice import BadNotice, Notice, notice_of
from guestclock.platforms.secret import scrubbed
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    from oslo_messaging.notify.listener import NotificationServer

QUEUE: Final = "guestclock"
_QUEUE_NAME = re.compile(rf"{QUEUE}[A-Za-z0-9_.-]{{0,200}}")
# Longer than any answer of a broker that is there; one that is gone would be waited for.
_STOP_SECONDS = 5.0

Ended: TypeAlias = signal.Signals | GuestclockError
Record: TypeAlias = Callable[[Notice], None]
Tell: TypeAlias = Callable[[str], None]


def listen(url: str, queue: str, record: Record, tell: Tell) -> signal.Signals:
    """Gives each notice to `record` until SIGINT or SIGTERM, which is returned.

    A message is acknowledged after `record` has returned; one whose recording fails goes back to
    the queue, and the listener ends with that error. `tell` gets lines for the user: what there is
    to know of the queue, then one that begins with "listening", then what happens to the
    connection, which oslo.messaging opens again by itself. Raises UsageProblem, Unreadable.
    """
    if not _QUEUE_NAME.fullmatch(queue):
        raise UsageProblem(
            f"no queue of ours: {clean(queue)!r}",
            f"begin its name with {QUEUE!r}, so that no other service's queue is read",
        )
    ended: SimpleQueue[Ended] = SimpleQueue()
    with _quiet(), _logged(lambda text: tell(clean(scrubbed(text, url)))):
        broker = Broker(url)
        found = broker.look()
        for line in _about(queue, broker, found):
            tell(line)
        server = _start(broker, found.exchanges, queue, _Endpoint(record, ended))
        with _signals_to(ended):
            tell(f"listening on {broker.name}, queue {queue}")
            why = ended.get()
        _stop(server)
    if isinstance(why, GuestclockError):
        raise why
    return why


def _about(queue: str, broker: Broker, found: Found) -> Iterator[str]:
    if found.left_out:
        yield found.left_out
    yield f"queue {queue} fills while nobody listens; these bound it, and give"
    yield "a user of the broker, here guestclock, the least rights to listen:"
    for command in advice(queue, broker.url.virtual_host):
        yield f"  {command}"


class _Endpoint:
    """What oslo.messaging calls with each notification: a method for each priority in use."""

    def __init__(self, record: Record, ended: SimpleQueue[Ended]) -> None:
        self._record = record
        self._ended = ended

    def info(
        self,
        context: object,
        publisher: str,
        event: str,
        payload: object,
        metadata: Mapping[str, object],
    ) -> str:
        """Records a notification. What is none is dropped: it would only come again."""
        message = {
            "event_type": event,
            "publisher_id": publisher,
            "timestamp": metadata.get("timestamp"),
            "payload": payload,
        }
        try:
            notice = notice_of(message)
            if notice is not None:
                self._record(notice)
        except BadNotice:
            return "handled"
        except GuestclockError as problem:
            self._ended.put(problem)
            return "requeue"
        return "handled"

    error = info


def _start(
    broker: Broker, exchanges: tuple[str, ...], queue: str, endpoint: _Endpoint
) -> NotificationServer:
    import oslo_messaging

    targets = [
        oslo_messaging.Target(topic=TOPICS[exchange], exchange=exchange) for exchange in exchanges
    ]
    try:
        transport = oslo_messaging.get_notification_transport(broker.conf, url=broker.url)
        server = oslo_messaging.get_notification_listener(
            transport, targets, [endpoint], allow_requeue=True, pool=queue
        )
        # One worker, as lines are written in the order in which messages came.
        server.start(override_pool_size=1)
    except oslo_messaging.MessagingException as problem:
        raise Unreadable(
            f"broker {broker.name}: queue {queue} cannot be read: {broker.said(problem)}",
            "delete that queue if its settings are older than the cloud's; else see to the rights",
        ) from None
    return server


def _stop(server: NotificationServer) -> None:
    """Stops, unless the broker is gone: what was not acknowledged comes again by itself."""

    def stop() -> None:
        server.stop()
        server.wait()

    # The libraries wonder at messages that come while they close; the user asked for it.
    logging.disable()
    try:
        stopping = Thread(target=stop, name="stop", daemon=True)
        stopping.start()
        stopping.join(_STOP_SECONDS)
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def _signals_to(ended: SimpleQueue[Ended]) -> Iterator[None]:
    """SIGINT and SIGTERM are put in the queue: the one kind that a handler may use."""
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [
        signal.signal(one, lambda number, _frame: ended.put(signal.Signals(number)))
        for one in signals
    ]
    try:
        yield
    finally:
        for one, handler in zip(signals, before, strict=True):
            signal.signal(one, handler)


@contextmanager
def _logged(tell: Tell) -> Iterator[None]:
    """What oslo.messaging and what it rests on have to say, from warnings on."""

    class Telling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            tell(record.getMessage())

    handler = Telling(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


@contextmanager
def _quiet() -> Iterator[None]:
    """The libraries warn of each other's age as they are imported, which no user can change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
