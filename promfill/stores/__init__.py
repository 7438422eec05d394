"""Readers of the stores that promfill can query: Prometheus-like servers, VictoriaMetrics, block directories."""
