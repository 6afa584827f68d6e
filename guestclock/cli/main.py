"""The `guestclock` command: its table of commands, and what happens to their errors."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

import click

from guestclock import __version__
from guestclock.cli.lazy import LazyCommand, LazyGroup
from guestclock.errors import GuestclockError, Unreadable

INTERRUPTED = 130
# What a shell shows for a program that ended as its reader went away: 128 + SIGPIPE.
READER_GONE = 141
# A fault of guestclock itself (EX_SOFTWARE of sysexits.h): 1 would say that there are findings.
BROKEN = 70
# The variable by which a shell asks for completions; the name is click's rule.
COMPLETE = "_GUESTCLOCK_COMPLETE"

COMMANDS = {
    "explain": LazyCommand(
        "guestclock.cli.explain:explain", "Why a machine's clock is right or wrong, hop by hop."
    ),
    "audit": LazyCommand(
        "guestclock.cli.audit:audit", "Find wrong clocks in files, hosts and whole clouds."
    ),
    "plan": LazyCommand("guestclock.cli.plan:plan", "Write down what would set clocks right."),
    "apply": LazyCommand("guestclock.cli.apply:apply", "Carry a plan out, and read the clocks."),
    "resume": LazyCommand("guestclock.cli.apply:resume", "Go on with a plan after a crash."),
    "rollback": LazyCommand("guestclock.cli.rollback:rollback", "Put back what a plan changed."),
    "handout": LazyCommand(
        "guestclock.cli.handout:handout", "What a guest's owner runs in it to keep UTC."
    ),
    "inspect": LazyCommand(
        "guestclock.cli.inspect:inspect", "Read from disk images how their systems take the clock."
    ),
    "listen": LazyCommand(
        "guestclock.cli.listen:listen", "Record what OpenStack tells of its servers."
    ),
    "predict": LazyCommand(
        "guestclock.cli.predict:predict", "What a clock and a guest make of a list of steps."
    ),
    "prove": LazyCommand("guestclock.cli.prove:prove", "Compare the law with a real QEMU."),
    "lab": LazyCommand("guestclock.cli.lab:lab", "A small real cloud to try a cure in."),
    "demo": LazyCommand(
        "guestclock.cli.demo:demo", "Watch a real machine lose its time and get it back."
    ),
}

EXTRAS = {"libvirt": "libvirt", "libvirt_qemu": "libvirt"}


def _configure(ctx: click.Context, command: click.Command) -> None:
    from guestclock.cli.config import configured, name_variables

    name_variables(command)
    ctx.default_map = configured(command)
    # __main__ keeps the collector off while modules are imported; what they made stays.
    gc.freeze()
    gc.enable()


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    on_load=_configure,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def guestclock() -> None:
    """Keeps the clock of every virtual machine right across every kind of reboot.

    Exit codes: 0 clean, 1 findings or a proof that does not match, 2 usage, 3 something could
    not be read, 130 interrupted.
    """


def main() -> NoReturn:
    """Runs the command line of this process and leaves with its exit code."""
    try:
        code = _run()
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except GuestclockError as error:
        code = _report(error)
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        code = READER_GONE
    except OSError as error:
        _drop_output()
        code = _report(Unreadable(_system_error(error)))
    except ModuleNotFoundError as error:
        code = _missing(error)
    except Exception:
        _show_fault()
        code = BROKEN
    # The interpreter would search all there is for garbage before it goes: a tenth of a start-up.
    gc.freeze()
    sys.exit(code)


def _drop_output() -> None:
    """The interpreter flushes once more as it ends, and would complain then."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _system_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else "the output cannot be written: "
    return f"{where}{error.strerror or error}"


def _missing(error: ModuleNotFoundError) -> int:
    if error.name not in EXTRAS:
        _show_fault()
        return BROKEN
    hint = f"pip install 'guestclock[{EXTRAS[error.name]}]'"
    return _report(Unreadable(f"the Python package {error.name!r} is not installed", hint))


def _show_fault() -> None:
    """Shows where guestclock itself failed; imported late, as few runs need it."""
    import traceback

    traceback.print_exc()
    click.echo("guestclock: this is a fault of guestclock: please report it", err=True)


def _run() -> int:
    """The exit code: what the command returned, or left with; None is 0.

    click's own main() would do, but takes a reader that went away for an exit code of 1, which
    says findings here.
    """
    instruction = os.environ.get(COMPLETE)
    if instruction:
        from click.shell_completion import shell_complete

        return shell_complete(guestclock, {}, "guestclock", COMPLETE, instruction)
    try:
        with guestclock.make_context("guestclock", sys.argv[1:]) as ctx:
            return int(guestclock.invoke(ctx) or 0)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code


def _report(error: GuestclockError) -> int:
    click.echo(f"guestclock: {error.message}", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)
    return error.exit_code
