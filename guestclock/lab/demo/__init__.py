"""The field report from which guestclock came, played by real machines."""
