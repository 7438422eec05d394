"""For tests of sources and sinks, ours and yours: a sink in memory, and what must hold for every source and every sink.

    check_source(source)                                            # any tiling has the same bits, and more
    check_sink(lambda folder: MySink(folder), source, tmp_path)     # counts, order, nothing half written
    sink = MemorySink(source.fleet, source.grid); push(source, sink); sink.values

Failed checks are AssertionErrors that say what was expected of whom; no test framework is needed.
"""

from promfill.testing.memory import MemorySink
from promfill.testing.sinks import check_sink
from promfill.testing.sources import check_source

__all__ = ["MemorySink", "check_sink", "check_source"]
