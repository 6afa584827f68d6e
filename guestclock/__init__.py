"""guestclock keeps the clock of every virtual machine right across every kind of reboot."""

# A literal: importlib.metadata alone would cost several times the start of the interpreter.
__version__ = "0.1.0"
