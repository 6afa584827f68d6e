"""Which images are of one family: Nova writes into each snapshot what its server was made of.

`base_image_ref` is handed on from snapshot to snapshot, so that it names the first image of all
(nova/compute/api.py sets it only where the image has none). Users may write what they like there,
so nothing here follows it more than once.
"""

from __future__ import annotations

from guestclock.platforms.openstack.records import Cloud, Image


def base_of(image: Image, cloud: Cloud) -> Image | None:
    """The image that a snapshot goes back to, None where it is none, or where that is gone."""
    base = image.base_image
    return cloud.images.get(base) if base is not None and base != image.id else None
