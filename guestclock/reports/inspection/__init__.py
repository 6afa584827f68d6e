"""What is on disk images, for people and for programs."""
