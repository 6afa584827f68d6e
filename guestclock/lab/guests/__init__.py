"""The lab's small real guests: their source, how they are built, and their disks."""
