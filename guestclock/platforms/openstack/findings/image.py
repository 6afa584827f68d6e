"""What an image will do to the servers made of it; it has no reboot, so nothing is an error."""

from __future__ import annotations

from guestclock.evidence import Known, Unknown, value_of
from guestclock.findings.finding import Evidence, Finding, Severity, cite
from guestclock.platforms.openstack.findings.cure import set_image
from guestclock.platforms.openstack.findings.family import base_of
from guestclock.platforms.openstack.findings.fault import UNIVERSAL, WINDOWS, fault_of, label
from guestclock.platforms.openstack.hops import said
from guestclock.platforms.openstack.kinds import kind_of_image
from guestclock.platforms.openstack.records import Cloud, Image
from guestclock.platforms.text import clean

BUT_FOR_NEW = "servers that are there already keep what they have"


def image_findings(image: Image, cloud: Cloud) -> tuple[Finding, ...]:
    """What is wrong by what the image says of itself, and by its base image.

    `guestclock.platforms.openstack.lineage` asks it of images whose family has no more to say.
    """
    kind = kind_of_image(image.name, image.properties)
    if isinstance(kind, Unknown) or fault_of(image.os_type, kind.value) is None:
        return ()
    return (
        wrong_image(image, kind.value, (cite(f"the image is {label(kind.value)}", kind),), cloud),
    )


def inside_image(image: Image, cloud: Cloud, system: Known[str]) -> tuple[Finding, ...]:
    """What is wrong with an image in which this system was found: nobody has to go by its name."""
    if fault_of(image.os_type, system.value) is None:
        return ()
    seen = cite(f"in it: {label(system.value)}", system)
    return (wrong_image(image, system.value, (seen,), cloud),)


def wrong_image(image: Image, system: str, evidence: tuple[Evidence, ...], cloud: Cloud) -> Finding:
    """The one finding of an image whose os_type is wrong for its system."""
    rule = fault_of(image.os_type, system)
    base = base_of(image, cloud)
    if rule == "CLK601" and image.os_type is None and base is not None and _had(base, image):
        where = f"base image {clean(base.name) or base.id}"
        says = Evidence(f"base: {said(base.os_type)}", "observed", f"properties of image {base.id}")
        return not_inherited(image, where, (*evidence, says))
    assert rule is not None
    return Finding(
        rule,
        Severity.WARNING,
        "image",
        expected_of(system),
        f"{_observed(rule, image, system)}: {_servers_get(rule)}",
        (image_evidence(image), *evidence),
        _cure(image, system),
    )


def not_inherited(image: Image, where: str, evidence: tuple[Evidence, ...]) -> Finding:
    """CLK613: a snapshot without the os_type that `where` has."""
    return Finding(
        "CLK613",
        Severity.WARNING,
        "image",
        "a snapshot with the os_type of what it was made of",
        f"no os_type, and {where} has windows: {_servers_get('CLK613')}",
        (image_evidence(image), *evidence),
        f"{set_image(image.id)}; take os_type out of [DEFAULT] "
        "non_inheritable_image_properties in nova.conf, if it stands there",
    )


def _had(base: Image, image: Image) -> bool:
    """Whether the base image said windows when the snapshot was made, as far as is known.

    Without Glance's database any change since may have been that of os_type.
    """
    changed = value_of(base.os_type_set_at) or base.updated_at
    if base.os_type != WINDOWS:
        return False
    return changed is None or image.created_at is None or changed <= image.created_at


def expected_of(system: str) -> str:
    """What an image of a system should say."""
    if system == WINDOWS:
        return "os_type=windows in an image of Windows"
    if system == UNIVERSAL:
        return f"no os_type in an image of {label(system)}"
    return f"no os_type, or linux, in an image of {label(system)}"


def image_evidence(image: Image) -> Evidence:
    """The image's os_type."""
    return Evidence(said(image.os_type), "observed", f"properties of image {image.id}")


def _observed(rule: str, image: Image, system: str) -> str:
    has = said(image.os_type)
    match rule:
        case "CLK602":
            return f"{has} is accepted, and is not exactly `windows`"
        case "CLK610":
            return f"{has}, and the image is {label(system)}"
        case _:
            return f"{has}, and the image is Windows"


def _servers_get(rule: str) -> str:
    clock = "localtime" if rule == "CLK610" else "utc"
    return f"each server made or rebuilt of it gets {clock}"


def _cure(image: Image, system: str) -> str:
    if system == UNIVERSAL:
        return (
            f"openstack image unset --property os_type {image.id}, or delete RealTimeIsUniversal "
            f"in it; {BUT_FOR_NEW}"
        )
    wanted = WINDOWS if system == WINDOWS else "linux"
    return f"{set_image(image.id, wanted)}; {BUT_FOR_NEW}"
