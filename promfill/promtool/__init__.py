"""What exists to agree with promtool."""
