"""The registry of Windows: hives and their transaction logs."""
