"""What mkdocs does beside rendering: the help of the commands, and folders of pages in the menu.

A line `<!-- help: audit -->` in a page becomes what `guestclock audit --help` prints, and
`<!-- levers -->` what the levers say of themselves, so that no page can say other than they do.
Rules and decisions stand in the menu by being there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guestclock.cli.main import guestclock
from guestclock.repair.levers import LEVERS

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

FOLDERS = {"Rules": "rules", "Decisions": "decisions"}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Adds each folder's pages to the menu, in the order of their file names."""
    docs = Path(config.docs_dir)
    assert isinstance(config.nav, list)
    for title, name in FOLDERS.items():
        pages = sorted((docs / name).glob("*.md"), key=lambda page: (page.stem != "index", page))
        if pages:
            config.nav.append({title: [str(page.relative_to(docs)) for page in pages]})
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401 - mkdocs passes the page
    """Puts the help of a command where a page asks for it."""
    markdown = re.sub("^<!-- levers -->$", lambda _: levers(), markdown, flags=re.MULTILINE)
    return re.sub(
        r"^<!-- help: ?([a-z ]*) -->$", lambda found: block(found[1]), markdown, flags=re.MULTILINE
    )


def levers() -> str:
    """A table of the levers."""
    lines = ["| lever | changes | acts from | downtime | beside | needs | undone by |"]
    lines.append("|---" * 7 + "|")
    for name, one in LEVERS.items():
        cells = (one.changes, one.acts.value, one.downtime, one.beside, one.needs, one.undone)
        lines.append(f"| `{name}` | {' | '.join(cells)} |".replace("<clock>", "`<clock>`"))
    return "\n".join(lines)


def block(words: str) -> str:
    """The help of a command, such as "lab server create", as a block of text."""
    command: click.Command = guestclock
    ctx = click.Context(guestclock, info_name="guestclock", max_content_width=88)
    for word in words.split():
        assert isinstance(command, click.Group)
        inner = command.get_command(ctx, word)
        assert inner is not None, f"no command is called {words!r}"
        command, ctx = inner, click.Context(inner, info_name=word, parent=ctx)
    return f"```text\n{command.get_help(ctx)}\n```"
