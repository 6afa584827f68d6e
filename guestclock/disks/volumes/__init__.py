"""What a disk is divided into: partitions, logical volumes, arrays."""
