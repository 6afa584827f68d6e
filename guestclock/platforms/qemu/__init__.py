"""QEMU itself: its command lines and processes, without a manager above them."""
