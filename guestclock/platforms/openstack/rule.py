"""Nova's rule: from a server's os_type to its `<clock>`, to the letter.

The image property `os_type` is copied into the server when it is created and when it is rebuilt,
and at no other time (nova/compute/api.py, `_inherit_properties_from_image`). It is copied as it
was written. The check that it is a known word ignores case (nova/objects/fields.py, `OSType`); the
driver that writes the clock does not (nova/virt/libvirt/driver.py, `_set_clock`). So `Windows` is
accepted, and the server gets the clock of any other system.
"""

from __future__ import annotations

from guestclock.clock import Clock, Localtime, Timer, Utc

OS_TYPES = ("linux", "windows")
"""The words Nova accepts as os_type, whatever their case."""

_X86 = ("i686", "x86_64")


class BadOsType(ValueError):
    """An os_type for which Nova refuses to create or rebuild a server (HTTP 400)."""


def check_os_type(os_type: str | None) -> str | None:
    """Return the os_type as a server gets it: the same text, or None where there is none.

    Raises BadOsType. Source: nova/objects/fields.py, `OSType.coerce`; spaces are not trimmed.
    """
    if os_type is not None and os_type.lower() not in OS_TYPES:
        known = " or ".join(OS_TYPES)
        raise BadOsType(
            f"invalid image metadata: field value {os_type!r} of os_type is invalid, use {known}"
        )
    return os_type


def nova_clock(
    os_type: str | None, virt_type: str, arch: str = "x86_64", hpet: bool | None = None
) -> Clock:
    """Return the clock Nova defines for a server.

    `os_type` is the server's own (column instances.os_type), not the image's. `virt_type` is
    [libvirt]virt_type of the host: only `kvm` gives timers. `hpet` is the image property
    hw_time_hpet, which counts on x86 alone. Source: nova/virt/libvirt/driver.py, `_set_clock` and
    `_set_kvm_timers`: the same in Nova 20 and 26 to 34, recorded in tests/golden/nova-clocks.json.
    """
    windows = os_type == "windows"
    base = Localtime() if windows else Utc()
    if virt_type != "kvm":
        return Clock(base)
    timers = [Timer("pit", tickpolicy="delay"), Timer("rtc", tickpolicy="catchup")]
    if arch in _X86:
        timers.append(Timer("hpet", present=bool(hpet)))
    if windows:
        timers.append(Timer("hypervclock", present=True))
    return Clock(base, tuple(timers))
