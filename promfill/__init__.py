"""Weeks of history for any Prometheus-compatible store: generated as arrays, encoded at memory speed.

    import promfill as pf

    vpn = pf.Metric("vpn", labels={"instance": pf.fan("host-{1..40}"), "job": "vpn"}, value=pf.original(trend=0.1))
    scenario = pf.Scenario([vpn], start="now-7d", step="5m", seed=42)
    print(scenario, pf.check(scenario, pf.Blocks("data")).findings)
    report = pf.push(scenario, pf.Blocks("data"), workers=2)
    pf.verify(scenario, pf.Blocks("data")).raise_for_difference()
    with pf.open_block(report.paths[0]) as block:
        for batch in block.select('vpn{instance=~"host-[123]"}').batches():
            print(batch.series[0], batch.times, batch.values)

Everything public is in `__all__`, and docs/python.md shows it at work; whatever else there is may move. Nothing is
imported before it is used, so that this costs a millisecond. The map of the house, every import going down:

    api/         what `import promfill` offers          cli/         the command line: parse, call, print
    operations/  a function for each thing it does      testing/     sinks and conformance suites for tests
    sinks/       writers: blocks, text, remote write    promtool/    what agrees with promtool
    vendors/     CDO, the original backfill.sh          pipeline/    source into sink, in one process or many
    stores/      readers of stores                      rules/       what each store does to samples
    blocks/      all that touches block directories     sources/     any tile's samples: trend, season, noise
    codecs/      arrays to bytes and back, pure         scenario/    what is asked for, as plain values
    model/       fleets, grids, tiles, batches          net/         HTTP, credentials, retries
    files/       durable files, checkpoints             protocols    what a sink and a store are
    errors       one tree of errors                     pb/, data/   generated code, package data
"""

from importlib import import_module as _import_module

from promfill._version import __version__

TYPE_CHECKING = False  # as typing's, which would cost more than the rest of this module
if TYPE_CHECKING:
    from promfill.api.batch import Batch
    from promfill.api.block import Block, RaggedBatch, Selection, open_block
    from promfill.api.metric import Fan, Metric, Original, fan, original
    from promfill.api.reports import CheckReport, Progress, Report, UploadReport, Verification
    from promfill.api.scenario import Scenario
    from promfill.api.series import SeriesLabels
    from promfill.api.servers import Mimir, Store, Tls
    from promfill.api.targets import Blocks, OpenMetrics, RemoteWrite
    from promfill.api.verbs import check, push, upload, verify
    from promfill.errors import (
        DamagedError,
        DiffersError,
        FormatError,
        InputError,
        InternalError,
        LossError,
        OutputError,
        PromfillError,
        ReceiverError,
        RefusedError,
        RepeatError,
        RunError,
    )
    from promfill.rules.finding import Finding

_ROOMS = {
    "api.batch": ("Batch",),
    "api.block": ("Block", "RaggedBatch", "Selection", "open_block"),
    "api.metric": ("Fan", "Metric", "Original", "fan", "original"),
    "api.reports": ("CheckReport", "Progress", "Report", "UploadReport", "Verification"),
    "api.scenario": ("Scenario",),
    "api.series": ("SeriesLabels",),
    "api.servers": ("Mimir", "Store", "Tls"),
    "api.targets": ("Blocks", "OpenMetrics", "RemoteWrite"),
    "api.verbs": ("check", "push", "upload", "verify"),
    "errors": (
        "DamagedError",
        "DiffersError",
        "FormatError",
        "InputError",
        "InternalError",
        "LossError",
        "OutputError",
        "PromfillError",
        "ReceiverError",
        "RefusedError",
        "RepeatError",
        "RunError",
    ),
    "rules.finding": ("Finding",),
}
_HOME = {name: f"promfill.{module}" for module, names in _ROOMS.items() for name in names}

__all__ = [
    "Batch",
    "Block",
    "Blocks",
    "CheckReport",
    "DamagedError",
    "DiffersError",
    "Fan",
    "Finding",
    "FormatError",
    "InputError",
    "InternalError",
    "LossError",
    "Metric",
    "Mimir",
    "OpenMetrics",
    "Original",
    "OutputError",
    "Progress",
    "PromfillError",
    "RaggedBatch",
    "ReceiverError",
    "RefusedError",
    "RemoteWrite",
    "RepeatError",
    "Report",
    "RunError",
    "Scenario",
    "Selection",
    "SeriesLabels",
    "Store",
    "Tls",
    "UploadReport",
    "Verification",
    "__version__",
    "check",
    "fan",
    "open_block",
    "original",
    "push",
    "upload",
    "verify",
]


if not TYPE_CHECKING:  # for a type checker only what is imported above is there

    def __getattr__(name: str) -> object:
        """Import a public name from its home on first use."""
        home = _HOME.get(name)
        if home is None:
            raise AttributeError(f"module 'promfill' has no attribute {name!r}", name="promfill", obj=None)
        value = getattr(_import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(set(__all__) | globals().keys())
