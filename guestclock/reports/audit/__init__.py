"""How the findings of an audit are printed, one file a format."""
