from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.__main__ import all_cases
from benchmarks.harness import Figure, Ratio, Result, main, run_cases, take_turns
from benchmarks.limits import FLOORS, Limit, read_limits, with_measured
from benchmarks.yardstick import make_yardstick


def values(*numbers: float) -> Callable[[], float]:
    return iter(numbers).__next__


def ratio_of(monkeypatch: pytest.MonkeyPatch, own: float, peer: float, **more: Any) -> Result:
    """The figure where a run takes `own` ms, a peer's `peer` ms, and the machine is busy in one turn of five."""
    turns = [(own / 1000, peer / 1000)] * 4 + [(9 * own / 1000, peer / 1000)]
    monkeypatch.setattr("benchmarks.harness.take_turns", lambda run, peer, seconds: iter(turns))
    return Ratio("case", values(), values(), **more).measure()


def test_a_ratio_is_the_speed_beside_the_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    result = ratio_of(monkeypatch, 5, 20, samples=1000)
    assert result.value == pytest.approx(4)
    assert result.rate == pytest.approx(200_000)


def test_a_ratio_counts_the_work_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ratio_of(monkeypatch, 10, 10, samples=300, peer_samples=100).value == pytest.approx(3)


def test_a_ratio_of_time_is_the_other_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ratio_of(monkeypatch, 20, 5, of="time").value == pytest.approx(4)


def test_turns_alternate_who_begins() -> None:
    order: list[str] = []

    def turn(name: str) -> Callable[[], None]:
        def take() -> None:
            order.append(name)
            time.sleep(0.03)

        return take

    assert len(list(take_turns(turn("run"), turn("peer"), seconds=0))) == 5
    warm_up, turns = order[:2], order[2:]
    assert warm_up == ["run", "peer"]
    assert turns == ["run", "peer", "peer", "run", "run", "peer", "peer", "run", "run", "peer"]


def test_what_falls_is_named_with_floor_or_ceiling(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        Figure("slow", "x", values(0.5, 0.6)),
        Figure("fat", "MB", values(200, 190)),
        Figure("good", "x", values(2)),
        Figure("free", "x", values(1)),
    ]
    limits = {"slow": Limit("floor", 1), "fat": Limit("ceiling", 150), "good": Limit("floor", 1)}
    results, failures = run_cases(cases, limits)
    assert [result.value for result in results] == [0.6, 190, 2, 1]
    assert failures == ["slow: 0.6 x is below its floor of 1", "fat: 190 MB is above its ceiling of 150"]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["case", "slow", "fat", "good", "free"]


def test_a_second_chance_may_save_a_case() -> None:
    assert run_cases([Figure("lucky", "x", values(0.5, 1.5))], {"lucky": Limit("floor", 1)})[1] == []


def test_a_broken_case_does_not_hide_the_next() -> None:
    results, failures = run_cases([Figure("broken", "x", values()), Figure("next", "x", values(1))], {})
    assert [result.case for result in results] == ["next"]
    assert failures == ["broken failed: StopIteration: "]


def test_a_module_that_breaks_is_a_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(quick: bool) -> Iterator[Figure]:
        yield Figure("before", "x", values(1))
        raise RuntimeError("other values came back")

    modules = {"a": SimpleNamespace(cases=broken), "b": SimpleNamespace(), "c": SimpleNamespace(cases=lambda quick: [])}
    found = [SimpleNamespace(name=name) for name in (*modules, "__main__")]
    monkeypatch.setattr("pkgutil.iter_modules", lambda path: found)
    monkeypatch.setattr("importlib.import_module", lambda name: modules[name.removeprefix("benchmarks.")])
    results, failures = run_cases(all_cases(quick=True), {})
    assert [result.case for result in results] == ["before"]
    assert failures == ["a failed: RuntimeError: other values came back"]


@pytest.mark.parametrize("kind", ["floor", "ceiling"])
def test_nan_keeps_no_limit(kind: str) -> None:
    assert not Limit(kind, 1).holds(float("nan"))


def test_limits_of_this_project_can_be_read() -> None:
    assert "startup_help" in read_limits()


@pytest.mark.parametrize("table", ["measured = 1", "floor = 1", "floor = 1\nceiling = 2\nmeasured = 1", "flor = 1"])
def test_a_limit_that_is_not_one_is_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / "floors.toml"
    path.write_text(f"[case]\n{table}\n")
    with pytest.raises(ValueError, match="case"):
        read_limits(path)


def test_main_writes_json_and_fails_for_a_limit_without_a_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "figures.json"
    with pytest.raises(SystemExit) as ended:
        main(lambda quick: [Figure("only", "x", values(1))], whole=True, argv=["--json", str(out)])
    assert ended.value.code == 1
    assert "startup_help has a ceiling" in capsys.readouterr().err
    assert json.loads(out.read_text())["results"][0]["value"] == 1


def test_the_short_form_need_not_have_every_case() -> None:
    with pytest.raises(SystemExit) as ended:
        main(lambda quick: [Figure("only", "x", values(1))], whole=True, argv=["--quick"])
    assert ended.value.code == 0


def test_the_yardstick_runs_and_leaves_its_array_alone() -> None:
    bits = np.arange(12, dtype=np.uint64).reshape(4, 3)
    run = make_yardstick(bits)
    run()
    assert bits.ravel().tolist() == list(range(12))


def test_what_was_measured_is_written_beside_its_limit() -> None:
    text = "[one]  # why\nfloor = 1\nmeasured = 2\n\n[two]\nceiling = 9\nmeasured = 8  # MB\n\n[three]\nmeasured = 3\n"
    changed = with_measured(text, {"one": 2.34567, "two": 105.26, "unknown": 1.0})
    assert changed == text.replace("measured = 2\n", "measured = 2.346\n").replace("measured = 8 ", "measured = 105.3 ")


def test_this_projects_limits_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "floors.toml"
    path.write_text(with_measured(FLOORS.read_text(), dict.fromkeys(read_limits(), 0.125)))
    assert read_limits(path) == read_limits()
    assert path.read_text().count("measured = 0.125") == len(read_limits())
