"""What flows: fleets of label sets, grids of times, tiles, batches of samples."""
