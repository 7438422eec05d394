"""Predicts what each store does to samples and blocks."""
