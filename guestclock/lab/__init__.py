"""Real QEMU and libvirt, time travel, and small real guests."""
