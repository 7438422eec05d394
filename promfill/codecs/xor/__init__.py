"""XOR chunks, and the XOR2 chunks of newer Prometheus."""
