"""The systems that are found on disks, one file a family."""
