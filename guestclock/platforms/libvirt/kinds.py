"""Which system the guest of a domain is, as far as the domain's own definition says.

libosinfo's id is what its user chose; Nova's image properties are what the cloud was told;
Hyper-V features and timers are written for Windows alone by every tool that writes them. Nothing
of it was seen in the guest, so each is inferred.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from guestclock.evidence import Fact, Inferred, Unknown

OSINFO = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
NOVA = (
    "http://openstack.org/xmlns/libvirt/nova/1.1",
    "http://openstack.org/xmlns/libvirt/nova/1.0",
)

_NAME_IT = "name it with --guests"

# The ids are http://VENDOR/SYSTEM/VERSION. Source: osinfo-db 20221130, all ids.
_OTHER_SYSTEMS = {
    "dragonflybsd.org": "DragonFly BSD",
    "netbsd.org": "NetBSD",
    "haiku-os.org": "Haiku",
    "novell.com": "NetWare",
    "apple.com": "macOS",
    "sun.com": "Solaris",
}
# Vendors of Linux whose ids do not have the word in them.
_LINUX_VENDORS = """
    android-x86.org archlinux.org centos.org cirros-cloud.net debian.org elementary.io endlessos.com
    fedoraproject.org freenix.net gentoo.org gnome.org guix.gnu.org hyperbola.info mageia.org
    mandriva.com manjaro.org nixos.org opensuse.org oracle.com pureos.net redhat.com slackware.com
    suse.com system76.com trisquel.info ubuntu.com univention.de voidlinux.org
"""
_DOS_WINDOWS = frozenset(("95", "98", "me", "1.0", "2.0", "2.1", "3.1"))


@dataclass(frozen=True, slots=True)
class NovaImage:
    """What Nova's metadata say of the image: its properties, None each where not written.

    Nova writes `nova:image` with the properties since 2025; before, the image's UUID alone.
    """

    os_type: str | None = None
    os_distro: str | None = None


@dataclass(frozen=True, slots=True)
class Hints:
    """All in a definition that tells the guest's kind; None and False are absent."""

    osinfo: str | None = None
    nova: NovaImage | None = None
    hyperv_features: bool = False
    hyperv_clock: bool = False


@lru_cache(maxsize=4096)
def kind_of(hints: Hints) -> Fact[str]:
    """The guest's kind, one of `guestclock.guest.SYSTEMS`, or why it is not known."""
    by_osinfo = _by_osinfo(hints.osinfo) if hints.osinfo else None
    by_nova = _by_nova(hints.nova) if hints.nova else None
    if by_osinfo and not isinstance(by_osinfo, Unknown):
        return by_osinfo
    if by_nova and not isinstance(by_nova, Unknown):
        return by_nova
    if hints.hyperv_features:
        return Inferred("windows", "Hyper-V features, which are written for Windows alone")
    if hints.hyperv_clock:
        return Inferred("windows", "timer hypervclock, which is written for Windows alone")
    return by_osinfo or by_nova or Unknown("nothing in the definition names the guest", _NAME_IT)


def _by_osinfo(identity: str) -> Fact[str]:
    where = f"libosinfo id {identity[:100]}"
    vendor, _, rest = identity.lower().partition("://")[2].partition("/")
    system, _, version = rest.partition("/")
    match vendor, system:
        case "microsoft.com", "msdos":
            return Inferred("dos", where)
        case "microsoft.com", "win" if version in _DOS_WINDOWS:
            return Inferred("dos", f"{where}: it takes the RTC as DOS does")
        case "microsoft.com", "win" | "winnt":
            return Inferred("windows", where)
        case "freedos.org", _:
            return Inferred("dos", where)
        case "freebsd.org", _:
            return Inferred("freebsd", where)
        case "openbsd.org", _:
            return Inferred("openbsd", where)
        case "libosinfo.org", "linux":
            return Inferred("linux", where)
        case "libosinfo.org", _:
            return Unknown(f"{where} says that the system is not known", _NAME_IT)
    other = _OTHER_SYSTEMS.get(vendor)
    if system == "solaris" or version.startswith("hurd"):
        other = "Solaris" if system == "solaris" else "GNU Hurd"
    if other:
        return Unknown(f"{where}: how {other} takes its RTC is not known here", _NAME_IT)
    if "linux" in identity.lower() or vendor in _LINUX_VENDORS.split():
        return Inferred("linux", where)
    return Unknown(f"{where} is not one that is known here", _NAME_IT)


# Glance's os_distro values that are not Linux (docs: "Useful image properties").
_DISTROS = {"windows": "windows", "freebsd": "freebsd", "openbsd": "openbsd", "msdos": "dos"}
_OTHER_DISTROS = {"netbsd": "NetBSD", "netware": "NetWare", "solaris": "Solaris", "opensolaris": ""}


def _by_nova(image: NovaImage) -> Fact[str]:
    os_type, distro = (image.os_type or "").lower(), (image.os_distro or "").lower()
    if os_type in ("windows", "linux"):
        # BSD images are often marked linux, as os_type knows no other word.
        kind = _DISTROS.get(distro, os_type) if os_type == "linux" else os_type
        return Inferred(kind, f"Nova's image property os_type={image.os_type}")
    if distro in _DISTROS:
        return Inferred(_DISTROS[distro], f"Nova's image property os_distro={image.os_distro}")
    if distro and distro not in _OTHER_DISTROS:
        return Inferred("linux", f"Nova's image property os_distro={distro[:60]}")
    return Unknown(
        "Nova's metadata name the image and do not say which system is in it",
        "look up the image's os_type and os_distro, or name the guest with --guests",
    )
