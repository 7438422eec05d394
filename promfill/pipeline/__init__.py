"""Runs a source into a sink, in one process or in several."""
