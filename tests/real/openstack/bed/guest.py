#!/usr/bin/python3
"""Write the bed's guest: a disk of 1 MiB whose boot sector is the whole system.

Usage: guest.py FILE

It says "bed guest: up" on the first serial port and halts the processor. From then on it obeys
the power button, as real systems do, so that a soft reboot is one and a stop takes a second. The
button is ACPI's: PM1 registers at port 0x600, where SeaBIOS puts them on machines pc and q35. The
real-time clock is never touched.
"""

from __future__ import annotations

import sys
from pathlib import Path

MIB = 1 << 20
GREETING = b"bed guest: up\r\n\0"

BOOT_SECTOR = bytes.fromhex(
    "fa 31c0 8ed8 8ed0 bc007c fc"  # cli; ds = ss = 0; sp = 0x7c00; cld
    "e4a1 0c02 e6a1 fb"  # mask IRQ 9, as the power button is polled; sti
    "be467c"  # si = greeting
    "ac 84c0 7412 88c3"  # next: lodsb; if 0 goto listen; bl = al
    "bafd03 ec a820 74fb"  # wait until the transmitter is empty
    "baf803 88d8 ee ebe9"  # out 0x3f8, bl; goto next
    "ba0206 b80001 ef"  # listen: PM1_EN = power button
    "f4"  # idle: hlt; the timer wakes it 18 times a second
    "ba0006 ed f6c401 74f6"  # if PM1_STS has no power button goto idle
    "ba0406 b80020 ef ebed"  # PM1_CNT = enter S5, which is power off
)


def disk() -> bytes:
    """The whole disk: the boot sector with its signature, then zeros."""
    sector = (BOOT_SECTOR + GREETING).ljust(510, b"\0") + b"\x55\xaa"
    return sector.ljust(MIB, b"\0")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    Path(sys.argv[1]).write_bytes(disk())
