"""What is asked for, as plain values: metrics, label patterns, times."""
