"""`guestclock listen`: records what OpenStack tells of its servers."""

from __future__ import annotations

import re

import click


class Size(click.ParamType):  # type: ignore[type-arg]  # no generic before click 8.3
    """A number of bytes, with KiB, MiB or GiB where it is large."""

    name = "size"
    _UNITS = {"": 1, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}  # noqa: RUF012

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The size in bytes, at least 64 KiB."""
        match = re.fullmatch(r"([0-9]{1,12}) *([KMG]iB)?", str(value), re.IGNORECASE)
        if match is None:
            self.fail(f"{value!r} is not a size: write 64MiB", param, ctx)
        size = int(match[1]) * self._UNITS[(match[2] or "").upper()]
        if size < 2**16:
            self.fail(f"{value!r} is less than 64KiB", param, ctx)
        return size


@click.command()
@click.argument("url")
@click.option(
    "--record",
    required=True,
    metavar="FILE",
    help="Record here; rotated to FILE.1, FILE.2 and so on.",
)
@click.option(
    "--pool",
    default="guestclock",
    show_default=True,
    metavar="QUEUE",
    help="The queue of our own on the broker; its name begins with guestclock.",
)
@click.option(
    "--most-bytes",
    type=Size(),
    default="64MiB",
    show_default=True,
    help="No file gets longer.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 1000),
    default=4,
    show_default=True,
    help="How many rotated files are kept.",
)
def listen(url: str, record: str, pool: str, most_bytes: int, keep: int) -> int:
    """Record what Nova and Glance tell of servers and images, until interrupted.

    URL is the transport_url that Nova has for its notifications; as it holds a password, give it
    as env:NAME (an environment variable) or file:PATH (the first line of a file). Nothing is taken
    from other readers. audit and explain take FILE with --notifications.

    \b
    guestclock listen file:/etc/guestclock/broker --record /var/lib/guestclock/nova.jsonl
    """
    import signal

    from guestclock.platforms.openstack.listener import listen as listening
    from guestclock.platforms.openstack.notice import line_of
    from guestclock.platforms.openstack.recording import Recording
    from guestclock.platforms.secret import secret

    address = secret(url, "URL")
    with Recording(record, most_bytes, keep) as recording:
        ended = listening(address, pool, lambda notice: recording.write(line_of(notice)), _tell)
    if ended is signal.SIGINT:
        raise KeyboardInterrupt
    return 0


def _tell(line: str) -> None:
    click.echo(f"guestclock listen: {line}", err=True)
