"""What a volume will do to the servers booted from it: Nova reads its copy of the properties."""

from __future__ import annotations

from collections.abc import Iterator

from guestclock.evidence import Fact, Unknown, value_of
from guestclock.findings.finding import Evidence, Finding, Severity, cite
from guestclock.platforms.openstack.findings.cure import set_image, set_volume
from guestclock.platforms.openstack.findings.fault import WINDOWS, fault_of, label
from guestclock.platforms.openstack.hops import said
from guestclock.platforms.openstack.kinds import kind_of_image
from guestclock.platforms.openstack.records import Cloud, Image, Volume
from guestclock.platforms.text import clean

_BUT_FOR_NEW = "servers that were booted from it keep what they have"


def volume_findings(volume: Volume, cloud: Cloud) -> tuple[Finding, ...]:
    """CLK611 where its image says another thing, CLK606 or CLK610 where its own is wrong."""
    return tuple(_found(volume, cloud)) if volume.bootable else ()


def _found(volume: Volume, cloud: Cloud) -> Iterator[Finding]:
    has = volume.properties.get("os_type")
    image = cloud.images.get(volume.image or "")
    kind = _kind(volume, image)
    system = value_of(kind)
    rule = fault_of(has, system) if system is not None else None
    if image is not None and (image.os_type == WINDOWS) != (has == WINDOWS):
        yield _differs(volume, image, kind, rule is not None)
    elif rule is not None and system is not None:
        yield _wrong(volume, system, kind)


def _kind(volume: Volume, image: Image | None) -> Fact[str]:
    """The system by the volume's metadata and name, else by the image's."""
    kind = kind_of_image(volume.name, volume.properties)
    if value_of(kind) == WINDOWS or image is None:
        return kind
    by_image = kind_of_image(image.name, image.properties)
    return by_image if isinstance(kind, Unknown) or value_of(by_image) == WINDOWS else kind


def _differs(volume: Volume, image: Image, kind: Fact[str], mine_is_wrong: bool) -> Finding:
    """CLK611: the one that is wrong is to be corrected; a note where that is not the volume."""
    has, system = volume.properties.get("os_type"), value_of(kind)
    wanted = WINDOWS if system == WINDOWS else "linux"
    if mine_is_wrong:
        cure = f"{set_volume(volume.id, wanted)}; {_BUT_FOR_NEW}"
    elif system is None:
        cure = "see which system is in it, then give both the os_type of that"
    else:
        cure = set_image(image.id, wanted)
    harmless = system is not None and not mine_is_wrong
    return Finding(
        "CLK611",
        Severity.NOTE if harmless else Severity.WARNING,
        "volume",
        "a volume and its image that say the same of os_type",
        f"the volume has {said(has)} and its image {clean(image.name) or image.id} "
        f"{said(image.os_type)}: servers made of the two get different clocks",
        (
            _evidence(volume),
            Evidence(
                f"image: {said(image.os_type)}", "observed", f"properties of image {image.id}"
            ),
            cite("system" if system is None else f"it is {label(system)}", kind),
        ),
        cure,
    )


def _wrong(volume: Volume, system: str, kind: Fact[str]) -> Finding:
    has = said(volume.properties.get("os_type"))
    windows = system == WINDOWS
    return Finding(
        "CLK606" if windows else "CLK610",
        Severity.WARNING,
        "volume",
        "os_type=windows in the metadata of a volume of Windows"
        if windows
        else f"no os_type, or linux, in the metadata of a volume of {label(system)}",
        f"{has}, and the volume is {label(system)}: each server booted from it "
        f"gets {'utc' if windows else 'localtime'}",
        (_evidence(volume), cite(f"it is {label(system)}", kind)),
        f"{set_volume(volume.id, WINDOWS if windows else 'linux')}; {_BUT_FOR_NEW}",
    )


def _evidence(volume: Volume) -> Evidence:
    where = f"volume_image_metadata of volume {volume.id}"
    return Evidence(said(volume.properties.get("os_type")), "observed", where)
