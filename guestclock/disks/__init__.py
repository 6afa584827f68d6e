"""Reads guest disks: which system is on them, and how it takes the RTC."""
