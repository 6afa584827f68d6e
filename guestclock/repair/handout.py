"""What the owner of a guest is handed, to let the guest keep UTC: guestclock writes in no guest.

RealTimeIsUniversal is read by Windows at its start, as a DWORD or any other value whose first
bytes are 1. Microsoft does not support it, and it is what every dual-boot guide sets. Sources:
docs/theory.md; the shell commands are those of systemd's timedatectl(1).
"""

from __future__ import annotations

from enum import Enum

_KEY = r"SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
_NAME = "RealTimeIsUniversal"


class Form(Enum):
    """How it is handed over."""

    REG = "reg"
    POWERSHELL = "powershell"
    CLOUDBASE_INIT = "cloudbase-init"
    SHELL = "shell"
    CLOUD_INIT = "cloud-init"


HANDOUTS = {
    "windows-utc": (Form.REG, Form.POWERSHELL, Form.CLOUDBASE_INIT),
    "linux-utc": (Form.SHELL, Form.CLOUD_INIT),
}
"""What there is, and its forms, the usual one first."""


def handout(what: str, form: Form, undo: bool = False) -> str:
    """The text of a handout; `undo` is the one that takes it back. Lines end as the form wants."""
    assert form in HANDOUTS[what]
    match form:
        case Form.REG:
            value = "-" if undo else "dword:00000001"
            lines = (
                "Windows Registry Editor Version 5.00",
                "",
                rf"[HKEY_LOCAL_MACHINE\{_KEY}]",
                f'"{_NAME}"={value}',
                "",
            )
            return "\r\n".join(lines)
        case Form.POWERSHELL:
            return _powershell(undo)
        case Form.CLOUDBASE_INIT:
            # Cloudbase-Init runs user data that begin so, as the system's own account.
            return "#ps1_sysnative\n" + _powershell(undo)
        case Form.SHELL:
            return f"#!/bin/sh\nset -e\ntimedatectl set-local-rtc {int(undo)}\n"
        case Form.CLOUD_INIT:
            return f'#cloud-config\nruncmd:\n  - [timedatectl, set-local-rtc, "{int(undo)}"]\n'


def _powershell(undo: bool) -> str:
    path = rf"HKLM:\{_KEY}"
    if undo:
        return f"Remove-ItemProperty -Path '{path}' -Name {_NAME} -ErrorAction Stop\n"
    return (
        f"New-ItemProperty -Path '{path}' -Name {_NAME} -PropertyType DWord -Value 1 "
        "-Force -ErrorAction Stop | Out-Null\n"
    )
