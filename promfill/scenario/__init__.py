"""The description of a push as plain values: metrics, label patterns, times."""
