"""What each store does to samples and blocks."""
