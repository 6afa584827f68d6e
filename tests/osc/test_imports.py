from __future__ import annotations

import subprocess
import sys

import pytest

OURS = {"guestclock", "guestclock.osc", "guestclock.osc.plugin"}
LIST = "import sys; print('\\n'.join(name for name in sys.modules))"
COMMANDS = ("audit", "explain", "images", "servers")


def modules_after(code: str) -> set[str]:
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}; {LIST}"], capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


def test_the_plugin_itself_imports_nothing() -> None:
    # The client imports it at each of its commands.
    found = modules_after("import guestclock.osc.plugin")
    bare = modules_after("import __future__, argparse, os, typing")
    assert found - bare == OURS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_its_options_and_no_more(command: str) -> None:
    # For `openstack help`, which looks at all commands of all plugins.
    found = modules_after(f"import guestclock.osc.{command}") - modules_after(
        "import osc_lib.command.command"
    )
    assert not {name for name in found if name.startswith("guestclock.platforms.openstack")}
    assert {name.partition(".")[0] for name in found} <= {"guestclock"} | sys.stdlib_module_names


def test_a_command_does_without_what_our_own_program_brings() -> None:
    code = (
        "import sys;"
        "sys.modules.update(dict.fromkeys(('click', 'libvirt', 'lxml', 'msgspec', 'rich',"
        " 'sqlalchemy', 'tzdata', 'tzlocal')));"
        "import guestclock.audit, guestclock.explanation, guestclock.rules,"
        " guestclock.platforms.openstack.source, guestclock.platforms.openstack.notifications,"
        " guestclock.platforms.stated, guestclock.reports.audit.summary,"
        " guestclock.reports.records, guestclock.reports.tree;"
        "from guestclock.databases import zones_at_hand; zones_at_hand()"
    )
    found = modules_after(code)
    assert "guestclock.platforms.openstack.api" in found
    assert not {name for name in found if name.startswith("guestclock.cli")}
