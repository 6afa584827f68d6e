"""All levers by name, and what to know of each before it is used."""

from __future__ import annotations

from guestclock.platforms.lever import About
from guestclock.platforms.libvirt import lever as libvirt
from guestclock.platforms.openstack import image_lever, spec_lever
from guestclock.platforms.openstack import lever as openstack

LEVERS: dict[str, About] = {
    one.NAME: one.ABOUT for one in (libvirt, openstack, image_lever, spec_lever)
}
