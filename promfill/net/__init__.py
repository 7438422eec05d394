"""The HTTP edge: requests, retries, credentials."""
