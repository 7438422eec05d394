"""Blocks on their way to a server."""
