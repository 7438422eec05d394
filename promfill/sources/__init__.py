"""Sources: they make the samples of any tile."""
