"""``promfill config``: the current settings and where each comes from. Masks secrets; contacts no server."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import click
from click.core import ParameterSource

from promfill.cli.options.commands import ADDRESSES, MASK, show_address, show_header
from promfill.cli.options.destination import has_cdo_token
from promfill.cli.options.shared import VERBOSITY, build_console, with_options
from promfill.cli.push import command as push
from promfill.cli.settings import dotenv_names, name_variables
from promfill.cli.spelling import in_options
from promfill.errors import InputError

SECRETS = ("PROMFILL_PASSWORD", "PROMFILL_BEARER_TOKEN", "CDO_TOKEN")


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the output. name: the option, or the environment variable of a secret."""

    name: str
    value: str
    source: str


class _Options(click.Command):
    """Push's options, none of them required, read from push's environment variables."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Our own options and push's."""
        name_variables(push, "push")
        own = super().get_params(ctx)
        names = {parameter.name for parameter in own}
        return [*own, *(_optional(parameter) for parameter in push.params if parameter.name not in names)]


@click.command(cls=_Options)
@with_options(VERBOSITY)
@click.pass_context
def command(context: click.Context, /, **values: Any) -> None:
    """Print the current settings and where each comes from: default, .env, environment or flag.

    Takes the same options as push. Flags override the environment, and the environment overrides .env. Secrets are
    masked.

    \b
    Example:
      promfill config --env staging
    """
    console = build_console(values)
    destination = _destination(values)
    settings = [destination, *_option_settings(context, values), *_secret_settings(dotenv_names(context))]
    shown = [{name: getattr(one, name) for name in Setting.__slots__} for one in settings]
    console.json({"destination": destination.value, "settings": shown})
    if values["as_json"]:
        return
    widths = [max(len(getattr(one, name)) for one in settings) for name in ("name", "value")]
    console.result("\n".join(f"{one.name:{widths[0]}}  {one.value:{widths[1]}}  {one.source}" for one in settings))


def _destination(values: dict[str, Any]) -> Setting:
    """Where push would send or write to. Names CDO, but does not query it."""
    from promfill.net.destination import show_url
    from promfill.vendors.cdo import base_url

    mode = values["mode"]
    option = {"blocks": "upload", "remote-write": "remote_write_url", "script": "remote_write_url"}.get(mode, "")
    url = values.get(option)
    if url and url != "none":
        return Setting("destination", show_address(url), f"--{option.replace('_', '-')}")
    if option and url != "none" and has_cdo_token():
        try:
            base = base_url(values["env"], values["cdo_url"])
            return Setting("destination", f"to be looked up in CDO at {show_url(base)}", "CDO")
        except InputError as error:
            return Setting("destination", in_options(error.marked), "CDO")
    missing = mode in ("remote-write", "script")
    return Setting("destination", "-" if missing else "files here", "not set" if missing else f"--mode {mode}")


def _option_settings(context: click.Context, values: dict[str, Any]) -> Iterator[Setting]:
    shown = {parameter.name for parameter in VERBOSE_PARAMETERS}
    for parameter in context.command.get_params(context):
        name = parameter.name or ""
        if name in shown or not isinstance(parameter, click.Option) or parameter.is_eager:
            continue
        source = _source(context, parameter)
        yield Setting(parameter.opts[0].lstrip("-"), _value(name, values[name]), source)


def _secret_settings(from_file: frozenset[str]) -> Iterator[Setting]:
    for name in SECRETS:
        where = "not set" if not os.environ.get(name) else f".env ({name})" if name in from_file else "environment"
        yield Setting(name, MASK if os.environ.get(name) else "-", where)


def _source(context: click.Context, parameter: click.Option) -> str:
    match context.get_parameter_source(parameter.name or ""):
        case ParameterSource.COMMANDLINE:
            return "flag"
        case ParameterSource.ENVIRONMENT:
            variable = _variable(parameter)
            return f"{'.env' if variable in dotenv_names(context) else 'environment'} ({variable})"
        case _:
            return "default"


def _variable(parameter: click.Option) -> str:
    """The environment variable that gave the value: the first one that is set, in click's order."""
    names: Iterable[str] = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or ()
    return next((name for name in names if os.environ.get(name)), "")


def _value(name: str, value: Any) -> str:
    if value is None or value == ():
        return "-"
    if name == "headers":
        return ", ".join(map(show_header, value))
    if name in ADDRESSES:
        return show_address(str(value))
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _optional(parameter: click.Parameter) -> click.Parameter:
    import copy

    shown = copy.copy(parameter)
    shown.required = False
    return shown


VERBOSE_PARAMETERS = tuple(command.params)
