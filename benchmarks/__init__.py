"""Benchmarks: a module per hot path, with figures that hold on any machine.

`python -m benchmarks` runs them all, `python -m benchmarks.startup` one module, `--quick` the short form; `--json FILE`
says where the figures go. A module offers ``cases(quick) -> Iterable[Case]``. No figure is an absolute time: machines
differ, and the same machine differs by the hour. A figure is a ratio to something else timed in the same run
(`harness.Ratio`), or bytes, samples and megabytes (`harness.Figure`). floors.toml holds the limits.
"""
