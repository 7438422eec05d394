"""XOR chunks, and XOR2 chunks of newer Prometheus."""
