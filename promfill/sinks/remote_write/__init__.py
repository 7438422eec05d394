"""Mode remote-write: what goes into which request, how it is sent, and what the answers mean."""
