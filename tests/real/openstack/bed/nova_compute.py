#!/usr/bin/python3
"""nova-compute for a machine without KVM.

For os_type=windows Nova's libvirt driver asks for Hyper-V enlightenments (vpindex, synic, ...),
which QEMU has with KVM alone, and libvirt would not start such a domain. So this launcher takes
that one element out of what the driver wrote. All else stays, the `<clock>` first of all.
"""

from __future__ import annotations

import sys
from typing import Any

from nova.cmd.compute import main  # type: ignore[import-not-found]
from nova.virt.libvirt.config import (  # type: ignore[import-not-found]
    LibvirtConfigGuestFeatureHyperV,
)
from nova.virt.libvirt.driver import LibvirtDriver  # type: ignore[import-not-found]

_set_features = LibvirtDriver._set_features


def _set_features_of_tcg(self: Any, guest: Any, *args: Any, **kwargs: Any) -> None:
    _set_features(self, guest, *args, **kwargs)
    guest.features = [
        one for one in guest.features if not isinstance(one, LibvirtConfigGuestFeatureHyperV)
    ]


LibvirtDriver._set_features = _set_features_of_tcg

if __name__ == "__main__":
    sys.exit(main())
