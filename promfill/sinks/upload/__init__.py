"""Upload blocks to a server."""
