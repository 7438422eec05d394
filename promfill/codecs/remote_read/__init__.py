"""The stream of chunks of remote read."""
