"""The options that commands share, so that the same option means the same everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from promfill.cli.console import Console
from promfill.cli.outcome import settle_json
from promfill.errors import InputError
from promfill.scenario.label_patterns import parse_labels, validate_metric_name
from promfill.scenario.scenario import DEFAULT_DESCRIPTION, Scenario, Signal, check_signal, make_grid, parse_resolution
from promfill.scenario.times import format_time, is_relative, parse_duration, parse_time

F = TypeVar("F", bound=Callable[..., Any])
Values = Mapping[str, Any]

WHAT = (
    click.option("--metric-name", required=True, metavar="NAME", help="Metric name, such as vpn."),
    click.option(
        "--labels",
        multiple=True,
        metavar="K=V,…",
        help="Labels; may be repeated. {1..100}, {001..100} and {a,b} in a value make several series. "
        "Values in double quotes are used literally; \\{ is a literal brace.",
    ),
    click.option(
        "--description", default=DEFAULT_DESCRIPTION, show_default=True, metavar="TEXT", help="HELP text of the metric."
    ),
    click.option("--unit", default="", metavar="UNIT", help="Unit of the metric."),
    click.option(
        "--start",
        "--start-epoch",
        "start",
        required=True,
        metavar="TIME",
        help="Time of the first sample: Unix seconds, RFC 3339, now or now-21d. Relative times are rounded down to a "
        "multiple of the step, so the same command within one step is the same push.",
    ),
    click.option(
        "--end",
        "--end-epoch",
        "end",
        default="now",
        show_default=True,
        metavar="TIME",
        help="End time (exclusive), in the same formats as --start.",
    ),
    click.option(
        "--step-size",
        "--step",
        "step_size",
        default="5m",
        show_default=True,
        metavar="DURATION",
        help="Time between samples, such as 500ms, 30s, 5m or 1h30m; a plain number is minutes.",
    ),
    click.option(
        "--timezone",
        default="UTC",
        show_default=True,
        metavar="TZ",
        help="Time zone in which the daily season's day starts.",
    ),
    click.option(
        "--trend-coefficient", type=float, default=0.1, show_default=True, help="Slope of the trend per hour."
    ),
    click.option("--flat-base", type=float, default=5.0, show_default=True, help="Value of the trend at the start."),
    click.option(
        "--seasonality",
        type=click.Choice(["daily", "none"]),
        default="daily",
        show_default=True,
        help="Seasonality to add.",
    ),
    click.option("--noise-std", type=float, default=3.0, show_default=True, help="Standard deviation of the noise."),
    click.option("--noise-mean", type=float, default=0.0, show_default=True, help="Mean of the noise."),
    click.option("--seed", type=int, default=42, show_default=True, help="Random seed of the noise, 0 to 2^32 - 1."),
    click.option("--round", "decimals", type=int, metavar="N", help="Round values to N decimals."),
    click.option(
        "--resolution",
        metavar="R",
        help="Round values to multiples of R, a power of two such as 2^-7; makes chunks about a third of the size.",
    ),
    click.option("--allow-future", is_flag=True, help="Allow an end in the future."),
    click.option(
        "--stale-at-end",
        is_flag=True,
        help="End each series with a staleness marker one step after its last sample, but not after --end.",
    ),
)
"""What to generate: the first table of push."""

JSON = (
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=settle_json,
        help="Print the result as one JSON object, even on failure.",
    ),
)
VERBOSITY = (
    click.option("-q", "--quiet", is_flag=True, help="Print only errors."),
    click.option("-v", "--verbose", is_flag=True, help="Print more details."),
    *JSON,
)


class Between(click.IntRange):
    """A whole number between two limits, or with a lower one alone, that says so in words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number. Fails with the limits if it is outside."""
        number: int = click.INT.convert(value, param, ctx)
        if number < self._least or (self.max is not None and number > self.max):
            self.fail(f"{number} must be {self._words}", param, ctx)
        return number

    @property
    def _least(self) -> int:
        return int(self.min or 0)

    @property
    def _words(self) -> str:
        return f"at least {self._least}" if self.max is None else f"between {self._least} and {self.max}"

    def _describe_range(self) -> str:
        """What click shows in the help."""
        return self._words


def with_options(*groups: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """A decorator that adds these options to a command, in this order."""

    def decorate(function: F) -> F:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate


def build_console(values: Values) -> Console:
    """The console with the verbosity of -q and -v."""
    return Console(int(values["verbose"]) - int(values["quiet"]))


def build_scenario(values: Values, console: Console) -> Scenario:
    """The scenario that the options describe. Warns about changed label names. InputError: an option is not valid."""
    now = int(time.time()) * 1000
    validate_metric_name(values["metric_name"])
    labels, warnings = parse_labels(values["labels"])
    for warning in warnings:
        console.warn(warning)
    step = parse_duration(values["step_size"], "step_size")
    start, end = (parse_time(values[name], name, now, step) for name in ("start", "end"))
    if end > now and not values["allow_future"]:
        raise InputError.about(
            "end", f"{format_time(end)} is in the future", "use an earlier end, or add --allow-future"
        )
    if is_relative(values["start"]) and is_relative(
        values["end"]
    ):  # whether a range is valid must not depend on the moment
        make_grid(parse_time(values["start"], "start", now), parse_time(values["end"], "end", now), step)
    grid = make_grid(start, end, step)
    return Scenario(
        metric=values["metric_name"],
        labels=tuple(labels),
        grid=replace(grid, steps=grid.steps + values["stale_at_end"]),
        signal=check_signal(_signal(values), grid),
        description=values["description"],
        unit=values["unit"],
        stale_at_end=values["stale_at_end"],
    )


def _signal(values: Values) -> Signal:
    return Signal(
        trend_coefficient=values["trend_coefficient"],
        flat_base=values["flat_base"],
        seasonality=values["seasonality"],
        timezone=values["timezone"],
        noise_mean=values["noise_mean"],
        noise_std=values["noise_std"],
        seed=values["seed"],
        decimals=values["decimals"],
        resolution=None if values["resolution"] is None else parse_resolution(values["resolution"]),
    )


def reject_unused_options(
    context: click.Context, mode: str, fits: Mapping[str, frozenset[str]], also: frozenset[str] = frozenset()
) -> None:
    """InputError for an option on the command line that has no effect in this mode; variables are ignored.

    also: other options that are in effect and have options of their own, such as --upload.
    """
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name in fits and not fits[name] & {mode, *also}:
            *most, last = sorted(way if way.startswith("--") else f"--mode {way}" for way in fits[name])
            ways = f"{', '.join(most)} or {last}" if most else last
            raise InputError.about(name, f"only works with {ways}", "add it, or leave the option out")
