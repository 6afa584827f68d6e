"""The databases of Nova and Glance, read by SELECT alone and by no user with more rights."""
