"""Decompression that the standard library does not have, bounded."""
