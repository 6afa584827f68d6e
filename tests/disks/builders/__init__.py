"""Makes disks, hives and trees for the tests; nothing of it is committed as bytes."""
