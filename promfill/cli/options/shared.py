"""The options that commands share, and what they make: the same words mean the same thing everywhere."""

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
    click.option("--metric-name", required=True, metavar="NAME", help="Name of the metric, such as vpn."),
    click.option(
        "--labels",
        multiple=True,
        metavar="K=V,…",
        help="Labels; may be repeated. {1..100}, {001..100} and {a,b} in a value fan out to several series; "
        "a value in double quotes is taken as it is; \\{ is a plain brace.",
    ),
    click.option("--description", default=DEFAULT_DESCRIPTION, show_default=True, metavar="TEXT", help="HELP text."),
    click.option("--unit", default="", metavar="UNIT", help="UNIT of the metric."),
    click.option(
        "--start",
        "--start-epoch",
        "start",
        required=True,
        metavar="TIME",
        help="First time: Unix seconds, RFC 3339, now or now-21d. Relative times are rounded down to a multiple of the "
        "step since 1970, so that the same command within a step is the same push.",
    ),
    click.option(
        "--end",
        "--end-epoch",
        "end",
        default="now",
        show_default=True,
        metavar="TIME",
        help="End, not included; written and rounded as the start is.",
    ),
    click.option(
        "--step-size",
        "--step",
        "step_size",
        default="5m",
        show_default=True,
        metavar="DURATION",
        help="Time between samples: 500ms, 30s, 5m, 1h30m; a bare number is minutes.",
    ),
    click.option(
        "--timezone", default="UTC", show_default=True, metavar="TZ", help="Where the daily season's day begins."
    ),
    click.option("--trend-coefficient", type=float, default=0.1, show_default=True, help="Rise per hour."),
    click.option("--flat-base", type=float, default=5.0, show_default=True, help="Value of the trend at the start."),
    click.option(
        "--seasonality",
        type=click.Choice(["daily", "none"]),
        default="daily",
        show_default=True,
        help="The daily season.",
    ),
    click.option("--noise-std", type=float, default=3.0, show_default=True, help="Standard deviation of the noise."),
    click.option("--noise-mean", type=float, default=0.0, show_default=True, help="Mean of the noise."),
    click.option("--seed", type=int, default=42, show_default=True, help="Seed of the noise, 0 to 2^32 - 1."),
    click.option("--round", "decimals", type=int, metavar="N", help="Keep N decimals."),
    click.option(
        "--resolution",
        metavar="R",
        help="Snap values to multiples of R, a power of two such as 2^-7: chunks shrink to a third.",
    ),
    click.option("--allow-future", is_flag=True, help="Allow an end after now."),
    click.option(
        "--stale-at-end",
        is_flag=True,
        help="End each series with a staleness marker, one step after its last sample, at --end at the latest.",
    ),
)
"""What is generated: push's first table."""

JSON = (
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=settle_json,
        help="Print the result as one JSON object, also on failure.",
    ),
)
VERBOSITY = (
    click.option("-q", "--quiet", is_flag=True, help="Say nothing but errors."),
    click.option("-v", "--verbose", is_flag=True, help="Say more."),
    *JSON,
)


def with_options(*groups: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """A decorator that gives a command these options, in this order."""

    def decorate(function: F) -> F:
        for option in reversed([option for group in groups for option in group]):
            function = option(function)
        return function

    return decorate


def build_console(values: Values) -> Console:
    """The console that -q and -v ask for."""
    return Console(int(values["verbose"]) - int(values["quiet"]))


def build_scenario(values: Values, console: Console) -> Scenario:
    """The scenario that the options say. Warns of mended label names; InputError where an option cannot be used."""
    now = int(time.time()) * 1000
    validate_metric_name(values["metric_name"])
    labels, warnings = parse_labels(values["labels"])
    for warning in warnings:
        console.warn(warning)
    step = parse_duration(values["step_size"], "step_size")
    start, end = (parse_time(values[name], name, now, step) for name in ("start", "end"))
    if end > now and not values["allow_future"]:
        raise InputError.about(
            "end", f"{format_time(end)} lies in the future", "take an earlier end, or add --allow-future"
        )
    if is_relative(values["start"]) and is_relative(values["end"]):  # what fits must not change with the moment
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
    """InputError for an option on the command line that means nothing in this mode; the environment's is ignored.

    also: what is to be done beside the mode, and has options of its own, such as --upload.
    """
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name in fits and not fits[name] & {mode, *also}:
            modes = ", ".join(sorted(fits[name]))
            raise InputError.about(name, f"does not fit --mode {mode} (it is for {modes})", "leave it out")
