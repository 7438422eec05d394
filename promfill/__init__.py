"""Weeks of history for any Prometheus-compatible store: generated as arrays, encoded at memory speed."""

from promfill._version import __version__

__all__ = ["__version__"]
