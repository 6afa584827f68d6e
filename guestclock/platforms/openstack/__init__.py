"""OpenStack: what Nova makes of a server's os_type."""
