"""Rules: what is wrong with a machine's clock, each with a stable id and a page of its own."""
