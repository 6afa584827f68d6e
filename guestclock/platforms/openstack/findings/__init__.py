"""The rules of OpenStack: what an image, a server, a volume or a host hands on to a clock."""
