"""Everything that gives the samples of a tile."""
