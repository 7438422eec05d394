"""Translate setting names in errors: from the names inside promfill to the names in the Python API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from promfill.errors import InputError, PromfillError, spelled
from promfill.rules.finding import Finding

FIELDS: Mapping[str, str] = {
    "metric_name": "name",
    "description": "help",
    "trend_coefficient": "trend",
    "flat_base": "base",
    "seasonality": "season",
    "noise_std": "noise",
    "noise_mean": "mean",
    "decimals": "round",
    "step_size": "step",
    "output_dir": "directory",
    "block_duration": "duration",
    "remote_write_url": "url",
    "username": "auth",
    "password_file": "auth",
    "bearer_token_file": "token",
    "checkpoint": "resume",
    "query_url": "store",
    "blocks": "directory",
    **{f"tls_{name}": f"tls.{name}" for name in ("ca", "cert", "key", "insecure")},
}
"""Internal name to Python name. Other names are the same in both."""

MODES = {"blocks": "pf.Blocks", "remote-write": "pf.RemoteWrite", "openmetrics": "pf.OpenMetrics"}


def spell(field: str, value: str | None = None) -> str:
    """A setting, with or without a value, as Python users write it."""
    if field == "mode" and value in MODES:
        return MODES[value]
    if value is None:
        return FIELDS.get(field, field)
    quoted = value if value[:1] in ("'", '"') else repr(value)
    return f"{FIELDS.get(field, field)}={quoted}"


@contextmanager
def python_names(field: str = "", **also: str) -> Iterator[None]:
    """A context manager: errors raised inside it get the setting names of the Python API.

    field: the wrong field, for errors that do not name one. also: more names, which are valid only here.
    """
    try:
        yield
    except PromfillError as error:
        _rename(error, also)
        if field and isinstance(error, InputError) and not error.field:
            error.field = field
        raise


def plain(finding: Finding) -> Finding:
    """The same finding, with the setting names of the Python API in its texts."""
    return replace(finding, text=spelled(finding.text, spell), fix=spelled(finding.fix, spell))


def _rename(error: PromfillError, also: Mapping[str, str]) -> None:
    def spell_here(field: str, value: str | None) -> str:
        return also[field] if field in also and value is None else spell(field, value)

    error.args = tuple(spelled(text, spell_here) if isinstance(text, str) else text for text in error.args)
    error.note = spelled(error.note, spell_here)
    if error.field:
        error.field = also.get(error.field) or spell(error.field)
