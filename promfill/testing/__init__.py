"""Helpers to test sources and sinks, ours and yours: a sink in memory, and checks that every source or sink must pass.

    check_source(source)                                            # the same bits for any tiling, and more
    check_sink(lambda folder: MySink(folder), source, tmp_path)     # counts, order, no half-written output
    sink = MemorySink(source.fleet, source.grid); push(source, sink); sink.values

A failed check raises an AssertionError that says what was expected. No test framework is needed.
"""

from promfill.testing.memory import MemorySink
from promfill.testing.sinks import check_sink
from promfill.testing.sources import check_source

__all__ = ["MemorySink", "check_sink", "check_source"]
