"""Ready-made values sent by opentelemetry-exporter-prometheus-remote-write, a window of all series a request.

    .peers/opentelemetry/bin/python benchmarks/peers/send_opentelemetry.py URL VALUES SERIES STEPS START

VALUES: a file of float64, series by series; START in Unix seconds, steps of five minutes.
"""

# mypy: ignore-errors
# Runs in its own environment, whose libraries the checks do not have.

import sys
from array import array
from pathlib import Path

from opentelemetry.exporter.prometheus_remote_write import PrometheusRemoteWriteMetricsExporter
from opentelemetry.sdk.metrics.export import (
    Gauge,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

REQUEST_SAMPLES = 20_000


def main() -> None:
    """Send them all."""
    url, path, series, steps, start = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:6])
    values = array("d", path.read_bytes())
    labels = [
        {"cpu": "total", "instance": f"otel-{number}", "job": "node", "tenant_uuid": "abc123", "uuid": "device-1"}
        for number in range(series)
    ]
    exporter = PrometheusRemoteWriteMetricsExporter(endpoint=url)
    together = max(1, REQUEST_SAMPLES // series)
    for first in range(0, steps, together):
        window = range(first, min(first + together, steps))
        points = [
            NumberDataPoint(labels[number], 0, (start + 300 * step) * 10**9, values[number * steps + step])
            for number in range(series)
            for step in window
        ]
        if exporter.export(metrics_of(points)) is not MetricExportResult.SUCCESS:
            raise SystemExit("a request was refused")


def metrics_of(points: list[NumberDataPoint]) -> MetricsData:
    """Points of one gauge, in the exporter's wrappings."""
    metric = Metric("vpn", "", "", Gauge(points))
    scope = ScopeMetrics(InstrumentationScope("benchmark"), [metric], "")
    return MetricsData([ResourceMetrics(Resource({}), [scope], "")])


if __name__ == "__main__":
    main()
