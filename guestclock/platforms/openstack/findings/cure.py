"""The cheapest cure of a server's os_type, in OpenStack's words.

No API changes instances.os_type. A rebuild does, and makes the root disk anew; an UPDATE in the
cell's database does, and the next hard reboot goes by it, with all data kept.
"""

from __future__ import annotations

from guestclock.evidence import Unknown, value_of
from guestclock.findings.finding import Case
from guestclock.findings.sides import keeps_local
from guestclock.platforms.openstack.findings.fault import WINDOWS
from guestclock.platforms.openstack.findings.host import is_utc_all_year
from guestclock.platforms.openstack.findings.view import ServerView
from guestclock.platforms.openstack.hops import error_with, right_os_type
from guestclock.words import behind_or_ahead

UNIVERSAL = (
    "set RealTimeIsUniversal in the guest and give it no os_type: right on every host, though "
    "Microsoft does not support it"
)
_UPDATE = (
    "UPDATE instances SET os_type='VALUE' WHERE uuid='UUID' AND deleted=0 AND task_state IS NULL"
)
NOT_BY_NOVA_MANAGE = "nova-manage image_property set changes the metadata alone, not the clock"


def wants_windows(view: ServerView) -> str:
    """How a Windows server gets its local time, or what else helps where no os_type would."""
    useless = no_os_type_helps(view.case)
    if useless:
        return f"{useless}; {UNIVERSAL}"
    steps = [*_sources_first(view), change_column(view, WINDOWS)]
    if view.server.image:
        steps.append("a rebuild would do it as well and lose the root disk")
    return "; ".join((*steps, NOT_BY_NOVA_MANAGE, f"or {UNIVERSAL}"))


def wants_utc(view: ServerView) -> str:
    """How a server whose guest takes its RTC for UTC gets it."""
    return "; ".join((*_sources_first(view, "linux"), change_column(view, "linux")))


def best(view: ServerView) -> str:
    """What lasts where a definition was edited by hand, empty where no os_type is known to help."""
    case = view.case
    if case.facts.guest.system != WINDOWS:
        return wants_utc(view) if keeps_local(case.facts.guest) is False else ""
    useless = no_os_type_helps(case)
    if value_of(view.server.column) == WINDOWS and not useless:
        return ""
    return wants_windows(view)


def change_column(view: ServerView, os_type: str) -> str:
    """The repair that keeps all data; the guard is that Nova is not at work on the server."""
    server = view.server.id
    update = _UPDATE.replace("VALUE", os_type).replace("UUID", server)
    text = f"{update} in the cell's database, then openstack server reboot --hard {server}"
    if not view.server.image:
        text += (
            "; for its snapshots also nova-manage image_property set, which changes the metadata"
        )
    return text


def _sources_first(view: ServerView, os_type: str = WINDOWS) -> list[str]:
    """What the next server, and a rebuild of this one, would be made of."""
    image, volume = view.image, view.volume
    if image is not None and not _does(image.os_type, os_type):
        return [f"first {set_image(image.id, os_type)}, or a rebuild undoes the rest"]
    if volume is not None and not _does(volume.properties.get("os_type"), os_type):
        return [f"{set_volume(volume.id, os_type)} for the servers to come"]
    return []


def _does(has: str | None, wanted: str) -> bool:
    return (has == WINDOWS) == (wanted == WINDOWS)


def set_image(image: str, os_type: str = WINDOWS) -> str:
    """How an image gets an os_type; servers made of it before do not."""
    return f"openstack image set --property os_type={os_type} {image}"


def set_volume(volume: str, os_type: str = WINDOWS) -> str:
    """How a volume gets an os_type; servers made of it before do not."""
    return f"openstack volume set --image-property os_type={os_type} {volume}"


def no_os_type_helps(case: Case) -> str:
    """Why no os_type gives a Windows guest a right clock on its host, empty where one may."""
    facts = case.facts
    error = error_with(WINDOWS, facts, case.at, case.zones)
    host = value_of(facts.host.zone)
    if host is None or right_os_type(facts, case.at, case.zones) is not None:
        return ""
    if not isinstance(error, Unknown):
        off = behind_or_ahead(error.value, case.tolerance)
        if off == "right":
            return ""
        return f"no os_type is right on a host in {host}: with windows it would be {off}"
    if is_utc_all_year(host, case.at, case.zones):
        return f"no os_type is right on a host in {host}, where localtime is UTC"
    return ""
