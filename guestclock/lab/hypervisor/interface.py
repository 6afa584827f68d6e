"""What the lab asks of a hypervisor, and nothing about how it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["libvirt", "qemu"]


class Hypervisor(Protocol):
    """Runs domain definitions on one host of a lab.

    A machine is named by the `<name>` of its definition. Everything lives on disk or in
    the host's own processes, so any number of commands may open the same host at once, and
    one that is killed loses nothing. Every method raises `LabError` where it cannot do what
    it says.
    """

    @property
    def kind(self) -> Kind:
        """Which implementation this is."""

    @property
    def name(self) -> str:
        """The host's name in its lab."""

    @property
    def zone(self) -> str:
        """The host's zone, as an IANA name: what the next machine to start will see."""

    def set_zone(self, zone: str) -> None:
        """Give the host another zone. It counts from each machine's next cold start."""

    def define(self, xml: str) -> None:
        """Keep a definition; one with the same uuid is replaced, running or not."""

    def definition(self, name: str) -> str:
        """Return the XML of the next cold start, as the hypervisor keeps it."""

    def live_definition(self, name: str) -> str | None:
        """Return the XML of the running machine; None when it is off."""

    def undefine(self, name: str) -> None:
        """Forget a definition and what was saved of its machine; absent is no error."""

    def names(self) -> list[str]:
        """List the machines defined here, sorted."""

    def start(self, name: str) -> None:
        """Start a new QEMU process; it takes up a saved state if there is one."""

    def destroy(self, name: str) -> None:
        """Pull the plug; a machine that is off stays off, without an error."""

    def reset(self, name: str) -> None:
        """Press the reset button: same process, and so the same RTC."""

    def press_power_button(self, name: str) -> None:
        """Send the ACPI event; whether the guest obeys is its own affair."""

    def wait_off(self, name: str, seconds: float) -> bool:
        """Wait until the machine is off, at most so many seconds; True when it is."""

    def running(self, name: str) -> bool:
        """Say whether there is a process for this machine, paused or not."""

    def pid(self, name: str) -> int | None:
        """Return the process id of its QEMU; None when it is off."""

    def rtc(self, name: str) -> datetime:
        """Read the RTC from outside (QOM `rtc-time`): a naive reading, whole seconds."""

    def suspend(self, name: str) -> None:
        """Stop the virtual CPUs."""

    def resume(self, name: str) -> None:
        """Let the virtual CPUs run again."""

    def save(self, name: str) -> None:
        """Write the machine's state to the host's disk and end its process."""

    def restore(self, name: str) -> None:
        """Start again from the saved state; an error when there is none."""

    def migrate(self, name: str, target: Hypervisor) -> None:
        """Move the running machine and its definition to another host of the same kind.

        The RTC travels as it is; the target's zone counts at the next cold start there.
        """

    def shutdown(self) -> None:
        """End every process of this host. Definitions and saved states stay."""
