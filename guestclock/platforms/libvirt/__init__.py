"""libvirt: domain definitions in files and on hosts."""
