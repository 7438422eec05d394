"""Readers of the world."""
