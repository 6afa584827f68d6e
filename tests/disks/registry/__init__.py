"""Readers of disks, on images that the tests build themselves."""
