"""The data that flows through: fleets of label sets, grids of times, tiles, batches of samples."""
