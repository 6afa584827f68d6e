"""The formats that a disk image comes in: bytes of a file in, the virtual disk out."""
