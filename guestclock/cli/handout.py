"""`guestclock handout`: what the owner of a guest runs in it, where nobody else may."""

from __future__ import annotations

import click

from guestclock.cli.options import output_option


@click.command()
@click.argument("what", type=click.Choice(["windows-utc", "linux-utc"]))
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(["reg", "powershell", "cloudbase-init", "shell", "cloud-init"]),
    help="How it is handed over.  [default: reg for Windows, shell for Linux]",
)
@click.option("--undo", is_flag=True, help="What takes it back instead.")
@output_option
def handout(what: str, form: str | None, undo: bool, output: str | None) -> int:
    """What lets a guest keep UTC, to hand to its owner.

    A guest that keeps UTC is right on every host and over every change of a zone, once its
    machine has the clock utc. guestclock itself writes in no guest.

    Exit codes: 0 written, 2 usage.

    \b
    guestclock handout windows-utc -o keep-utc.reg
    guestclock handout windows-utc -f cloudbase-init --undo
    """
    from guestclock.errors import UsageProblem
    from guestclock.repair.handout import HANDOUTS, Form
    from guestclock.repair.handout import handout as text_of
    from guestclock.reports.output import writing

    forms = HANDOUTS[what]
    chosen = forms[0] if form is None else Form(form)
    if chosen not in forms:
        known = " or ".join(one.value for one in forms)
        raise UsageProblem(f"{what} is not handed out as {chosen.value}", f"give -f {known}")
    with writing(output) as stream:
        stream.write(text_of(what, chosen, undo))
    return 0
