"""A lab's host where namespaces are not allowed, as in most containers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.labhost import lab_in

pytestmark = pytest.mark.real

# A user namespace in which no other may be made: what runs there is as confined as in a
# container, whoever it takes itself for.
CONFINE = "echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --bounding-set=-all "
CONFINE += '--inh-caps=-all --ambient-caps=-all "$@"'

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.real.labhost import Lab, NAME, HOUR, about, in_zone, offset
from guestclock.lab.hypervisor import open_host, why_not_libvirt

folder = Path(sys.argv[2])
lab = Lab(folder, "libvirt")
host = open_host(folder / "hosts" / "a", "a", "Asia/Shanghai")
print(host.kind, why_not_libvirt(folder / "hosts" / "a"))
LOCALTIME = "<clock offset='localtime'/>"
BASIS = "<clock offset='variable' adjustment='3600' basis='localtime'/>"
KOLKATA = "<clock offset='timezone' timezone='Asia/Kolkata'/>"
for clock, expected in ((LOCALTIME, 8), (BASIS, 9), (KOLKATA, 5.5)):
    host.define(lab.definition(clock))
    host.start(NAME)
    assert offset(host) == about(expected * HOUR), clock
    host.destroy(NAME)
host.define(lab.definition(LOCALTIME))
host.start(NAME)
host.set_zone("America/New_York")
assert offset(host) == about(8 * HOUR)
assert host.running(NAME)
host.destroy(NAME)
host.start(NAME)
assert offset(host) == in_zone("America/New_York")
other = open_host(folder / "hosts" / "b", "b", "Asia/Kolkata")
host.migrate(NAME, other)
other.destroy(NAME)
other.start(NAME)
assert offset(other) == about(5.5 * HOUR)
host.shutdown()
other.shutdown()
"""


def confined(user: str, folder: Path) -> str:
    """Run the script where no namespace can be had; what it says of its host."""
    here = str(Path(__file__).parents[2])
    command = ["unshare", "--user", user, "--keep-caps", "sh", "-c", CONFINE, "sh"]
    done = subprocess.run(
        [*command, sys.executable, "-c", SCRIPT, here, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=200,
        check=True,
    )
    return done.stdout.strip()


def test_a_user_has_libvirt_and_the_zone_reaches_qemu_by_its_environment(tmp_path: Path) -> None:
    with lab_in(tmp_path, "libvirt"):
        assert confined("--map-user=1", tmp_path) == "libvirt None"


def test_root_has_plain_qemu_and_can_read_why(tmp_path: Path) -> None:
    with lab_in(tmp_path, "qemu"):
        kind, reason = confined("--map-root-user", tmp_path).split(" ", 1)
        assert kind == "qemu"
        assert "root needs a user namespace" in reason
