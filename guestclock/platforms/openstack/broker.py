"""A RabbitMQ broker as a listener meets it: whether it lets us in, and what its exchanges are like.

oslo.messaging tries again for ever where a password is wrong or an exchange differs from what it
declares, so that all of that is asked of the broker beforehand.
"""

from __future__ import annotations

import shlex
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from guestclock.errors import Unreadable, UsageProblem
from guestclock.platforms.secret import scrubbed
from guestclock.platforms.text import clean

if TYPE_CHECKING:
    from amqp import Connection
    from oslo_config.cfg import ConfigOpts
    from oslo_messaging import TransportURL
    from oslo_messaging.transport import TransportHost

NOVA: Final = "nova"
GLANCE: Final = "glance"
TOPICS: Final = {NOVA: "versioned_notifications", GLANCE: "notifications"}
"""The exchange of each service, with the topic that it sends notifications to."""

# Messages the broker sends ahead: all that a listener holds in memory at once.
_AHEAD = "100"
# Seconds that a broker may take for an answer.
_PATIENCE = 10.0
_DURABLE = "inequivalent arg 'durable'"
_FORM = "write rabbit://USER:PASSWORD@HOST:5672/VIRTUAL-HOST, with %XX for signs such as / and @"


@dataclass(frozen=True, slots=True)
class Found:
    """The exchanges to listen to, and a line about what is left out, or ""."""

    exchanges: tuple[str, ...]
    left_out: str


class Broker:
    """A transport URL as Nova has it, and the settings of oslo.messaging in its query.

    Raises UsageProblem for what is no such URL; no message shows any of it.
    """

    def __init__(self, url: str) -> None:
        try:
            from oslo_config.cfg import ConfigOpts
            from oslo_messaging import InvalidTransportURL, TransportURL
        except ModuleNotFoundError as problem:
            raise Unreadable(
                "the Python package oslo.messaging is not installed",
                "pip install 'guestclock[notifications]'",
            ) from problem
        self._text = url
        self.conf: ConfigOpts = ConfigOpts()
        # Without these it would read the files of a program of our name.
        self.conf([], default_config_files=[], default_config_dirs=[])
        try:
            # A sign in the password that is not escaped would end the host's name there.
            parts = urlsplit(url)
            if "#" in url or "@" in parts.path or "@" in parts.query:
                raise ValueError("an unescaped sign")
            self.url: TransportURL = TransportURL.parse(self.conf, url)
        except (InvalidTransportURL, ValueError, TypeError):
            raise UsageProblem("the broker's URL is no transport URL", _FORM) from None
        hosts = self._hosts()
        if self.url.transport != "rabbit" or not hosts or not all(host.hostname for host in hosts):
            raise UsageProblem("the broker's URL is not one of RabbitMQ", _FORM)
        self.url.query.setdefault("rabbit_qos_prefetch_count", _AHEAD)

    @property
    def name(self) -> str:
        """Its hosts and the virtual host, without users and passwords."""
        hosts = ",".join(map(_address, self._hosts()))
        return clean(f"{hosts}/{self.url.virtual_host or ''}")

    def look(self) -> Found:
        """Asks which exchanges there are, and notes in the URL's query whether they are durable.

        Raises Unreadable where the broker cannot be reached, or refuses.
        """
        with self._connected() as connection:
            if not _exists(connection, NOVA):
                raise Unreadable(
                    f"broker {self.name}: this virtual host has no exchange {NOVA!r}",
                    "give the transport_url that Nova has for its notifications",
                )
            if not _exists(connection, GLANCE):
                return self._found(
                    f"this virtual host has no exchange {GLANCE!r}",
                    durable=_durable(connection, NOVA),
                )
            durable = _durable(connection, NOVA)
            if durable != _durable(connection, GLANCE):
                return self._found("its exchange is not as durable as Nova's", durable=durable)
            return self._found("", durable=durable)

    def _found(self, no_glance: str, *, durable: bool) -> Found:
        # A queue cannot be bound to both kinds by one listener; what the user says comes first.
        self.url.query.setdefault("amqp_durable_queues", str(durable))
        if no_glance:
            return Found((NOVA,), f"changes of images are not recorded: {no_glance}")
        return Found((NOVA, GLANCE), "")

    def _hosts(self) -> list[TransportHost]:
        return list(self.url.hosts)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection to the first host that takes it. Raises Unreadable with each one's reason.

        What is refused inside is raised as Unreadable too.
        """
        from amqp.exceptions import AccessRefused, AMQPError

        reasons = []
        for host in self._hosts():
            connection = self._connection(host)
            try:
                connection.connect()
            except (AMQPError, OSError) as problem:
                reasons.append(f"{clean(_address(host))}: {self.said(problem)}")
                connection.collect()
                continue
            try:
                yield connection
            except AccessRefused as problem:
                hint = "its user needs the rights in the documentation of guestclock listen"
                raise Unreadable(f"broker {self.name}: {self.said(problem)}", hint) from None
            except (AMQPError, OSError) as problem:
                raise Unreadable(f"broker {self.name}: {self.said(problem)}") from None
            finally:
                with suppress(AMQPError, OSError):
                    connection.close()
            return
        raise Unreadable(f"no connection to the broker: {'; '.join(reasons)}")

    def _connection(self, host: TransportHost) -> Connection:
        """A connection with the settings of oslo.messaging's driver, that does not try again."""
        from amqp import Connection

        return Connection(
            host=_address(host),
            userid=host.username or "",
            password=host.password or "",
            virtual_host=self.url.virtual_host or "/",
            login_method=self.url.query.get("rabbit_login_method", "AMQPLAIN"),
            connect_timeout=_PATIENCE,
            read_timeout=_PATIENCE,
            write_timeout=_PATIENCE,
            ssl=self._tls(),
        )

    def _tls(self) -> dict[str, Any] | bool:
        query = self.url.query
        if query.get("ssl", "").lower() not in ("1", "true", "yes", "on"):
            return False
        names = {"ca_certs": "ssl_ca_file", "certfile": "ssl_cert_file", "keyfile": "ssl_key_file"}
        given = {name: query[key] for name, key in names.items() if query.get(key)}
        if "ca_certs" not in given:
            return given or True
        single = self._hosts()[0].hostname if len(self._hosts()) == 1 else None
        return {**given, "cert_reqs": ssl.CERT_REQUIRED, "server_hostname": single}

    def said(self, problem: Exception) -> str:
        """What the broker says, in its own words."""
        text = getattr(problem, "reply_text", None) or getattr(problem, "strerror", None)
        return clean(scrubbed(str(text or problem), self._text))


def advice(queue: str, virtual_host: str | None) -> tuple[str, ...]:
    """The commands that bound a listener's queue and give a user the least rights for it.

    The queue is not written to disk unless the cloud's are, waits while nobody listens, and would
    grow without end.
    """
    where = f" -p {shlex.quote(virtual_host)}" if virtual_host not in (None, "", "/") else ""
    own = f"^{queue.replace('.', chr(92) + '.')}$"
    both = f"^({own[1:-1]}|{NOVA}|{GLANCE})$"
    bound = '{"max-length":10000,"expires":86400000}'
    return (
        f"rabbitmqctl set_policy{where} {queue} '{own}' '{bound}' --apply-to queues",
        f"rabbitmqctl set_permissions{where} guestclock '{both}' '{own}' '{both}'",
    )


def _address(host: TransportHost) -> str:
    name = f"[{host.hostname}]" if ":" in host.hostname else host.hostname
    return f"{name}:{host.port or 5672}"


def _exists(connection: Connection, exchange: str) -> bool:
    from amqp.exceptions import NotFound

    try:
        connection.channel().exchange_declare(exchange, "topic", passive=True)
    except NotFound:
        return False
    return True


def _durable(connection: Connection, exchange: str) -> bool:
    """Whether an exchange that exists is durable: only the same declaration is accepted."""
    from amqp.exceptions import PreconditionFailed

    try:
        connection.channel().exchange_declare(exchange, "topic", durable=False, auto_delete=False)
    except PreconditionFailed as problem:
        if _DURABLE not in str(problem):
            raise
        return True
    return False
