"""The TSDB block format as bytes; no I/O."""
