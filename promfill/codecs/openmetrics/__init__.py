"""OpenMetrics text, written and read."""
