"""How findings and predictions are printed, one file a format."""
