"""Settings of the core by their names in Python, in errors and findings."""

from __future__ import annotations

import pytest

import promfill as pf
from promfill.api.names import plain, python_names, spell
from promfill.errors import InputError, RunError, setting


@pytest.mark.parametrize(
    ("field", "value", "written"),
    [
        ("noise_std", None, "noise"),
        ("seed", None, "seed"),
        ("query_url", None, "store"),
        ("mode", "blocks", "pf.Blocks"),
        ("mode", "remote-write", "pf.RemoteWrite"),
        ("block_duration", "24h", "duration='24h'"),
        ("metric_name", "'a_b'", "name='a_b'"),
    ],
)
def test_a_setting_is_written_as_python_has_it(field: str, value: str | None, written: str) -> None:
    assert spell(field, value) == written


def test_problem_fix_note_and_field_are_renamed() -> None:
    error = InputError(f"{setting('noise_std')} is -1", f"give {setting('flat_base')}", field="noise_std")
    error.note = f"see {setting('trend_coefficient')}"
    with pytest.raises(pf.InputError) as caught, python_names():
        raise error
    assert (caught.value.problem, caught.value.fix, caught.value.field) == ("noise is -1", "give base", "noise")
    assert str(caught.value) == "noise is -1: give base. see trend"


def test_names_of_one_verb_go_before_those_of_all() -> None:
    with pytest.raises(pf.InputError) as caught, python_names(noise_std="std"):
        raise InputError.about("noise_std", "is wrong")
    assert (str(caught.value), caught.value.field) == ("std is wrong", "std")


def test_a_field_is_given_where_an_error_of_the_input_names_none() -> None:
    with pytest.raises(pf.InputError) as caught, python_names("selector"):
        raise InputError("wrong")
    assert caught.value.field == "selector"
    with pytest.raises(pf.RunError) as failed, python_names("selector"):
        raise RunError("broken")
    assert failed.value.field == ""


def test_findings_are_renamed() -> None:
    found = plain(pf.Finding("k", True, 3, f"{setting('noise_std')}", f"use {setting('mode', 'blocks')}"))
    assert (found.text, found.fix, found.loses, found.samples) == ("noise", "use pf.Blocks", True, 3)
