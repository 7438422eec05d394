"""Arrays of trend, seasonality and noise; no I/O."""
