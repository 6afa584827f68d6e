"""Which images are of one family: Nova writes into each snapshot what its server was made of.

`base_image_ref` is handed on from snapshot to snapshot, so that it names the first image of all
(nova/compute/api.py sets it only where the image has none). Users may write what they like there,
so nothing here follows it more than once.
"""

from __future__ import annotations

from guestclock.platforms.openstack.findings.fault import fault_of
from guestclock.platforms.openstack.records import Cloud, Image


def base_of(image: Image, cloud: Cloud) -> Image | None:
    """The image that a snapshot goes back to, None where it is none, or where that is gone."""
    base = image.base_image
    return cloud.images.get(base) if base is not None and base != image.id else None


def hands_on(image: Image, system: str, cloud: Cloud) -> bool:
    """Whether a wrong image is the first of its family, and a snapshot of it is wrong too."""
    if fault_of(image.os_type, system) is None:
        return False
    base = base_of(image, cloud)
    if base is not None and fault_of(base.os_type, system) is not None:
        return False
    return any(
        one.base_image == image.id and one is not image and fault_of(one.os_type, system)
        for one in cloud.images.values()
    )
