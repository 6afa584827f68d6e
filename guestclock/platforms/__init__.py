"""One package per platform: its dialect, its rule, its sources, its levers."""
