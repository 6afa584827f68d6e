"""Repairs clocks: a plan is written, applied step by step with a journal, verified, undone."""
