"""File systems, as much as finding a path and reading a file takes."""
