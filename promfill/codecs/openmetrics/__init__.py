"""Write and read OpenMetrics text."""
