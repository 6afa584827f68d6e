"""Tests of the readers of systems."""
