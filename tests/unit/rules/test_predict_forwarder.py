from __future__ import annotations

from dataclasses import replace

import pytest

from promfill.model.grid import Grid
from promfill.rules.finding import Finding
from promfill.rules.forwarders import AGENT, ALLOY, COLLECTOR, UNKNOWN, VICTORIA, VMAGENT, Forwarder
from promfill.rules.limits import Limits
from promfill.rules.predict import predict
from promfill.rules.push_plan import PushPlan
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.times import DAY_MS
from tests.support.pushes import scenario

NOW = 1_700_000_000_000
STEP = 300_000
PLAN = PushPlan(scenario("m", "host={1..10}", Grid(NOW - DAY_MS, STEP, 288)), 10, "remote-write")
VM = StoreFacts("VictoriaMetrics", "http://vm", retention=DAY_MS // 2, doubles=True, rounds=True)
PROMETHEUS = StoreFacts("Prometheus", "http://prometheus", retention=15 * DAY_MS, receives=False, newest=NOW)


def told(forwarder: Forwarder, store: StoreFacts | None = None, plan: PushPlan = PLAN) -> dict[str, Finding]:
    return {finding.kind: finding for finding in predict(plan, store, NOW, forwarder)}


@pytest.mark.parametrize(
    ("since", "lost"),
    [
        (None, 288),
        (NOW, 288),
        (NOW + DAY_MS, 288),
        (NOW - STEP, 287),
        (NOW - STEP + 1, 288),
        (NOW - 2 * STEP - 1, 286),
        (NOW - DAY_MS, 0),
        (NOW - 2 * DAY_MS, 0),
    ],
)
def test_an_agent_loses_what_is_older_than_its_start(since: int | None, lost: int) -> None:
    finding = told(Forwarder(AGENT, "http://a", only_new=True, since=since, sends_to=("http://store/write",)))[
        "forwarder"
    ]
    assert (finding.loses, finding.samples) == ((True, 10 * lost) if lost else (False, None))
    assert "agent" in finding.text
    assert "store behind it" in finding.fix
    assert ("http://store/write" in finding.fix) is bool(lost)


def test_an_alloy_loses_history() -> None:
    finding = told(Forwarder(ALLOY, "http://a", only_new=True))["forwarder"]
    assert (finding.loses, finding.samples) == (True, 2_880)
    assert "Grafana Alloy" in finding.text


@pytest.mark.parametrize("kind", [VMAGENT, VICTORIA, COLLECTOR, UNKNOWN])
def test_others_ask_for_the_store_behind(kind: str) -> None:
    findings = told(Forwarder(kind, "http://f"))
    assert set(findings) == {"forwarder"}
    assert not findings["forwarder"].loses
    assert "may still not be stored" in findings["forwarder"].text
    assert "query_url" in findings["forwarder"].fix


def test_the_push_is_judged_by_the_store_behind() -> None:
    findings = told(Forwarder(VMAGENT, "http://f"), VM)
    assert findings["retention"].samples == 10 * 144
    assert findings["forwarder"].fix == ""
    assert "VictoriaMetrics at http://vm" in findings["forwarder"].text
    assert "doubling" in findings


def test_what_the_store_behind_receives_by_is_the_forwarders_matter() -> None:
    findings = told(Forwarder(VMAGENT, "http://f"), PROMETHEUS)
    assert not {"receiver", "protocol"} & set(findings)
    assert findings["head"].loses


LARGE = replace(PLAN, series=100)


@pytest.mark.parametrize(
    ("kind", "store", "plan", "loses"),
    [
        (VMAGENT, replace(PROMETHEUS, newest=None), LARGE, True),
        (VMAGENT, replace(PROMETHEUS, newest=None, out_of_order=DAY_MS - STEP - 1), LARGE, True),
        (VMAGENT, replace(PROMETHEUS, newest=None, out_of_order=DAY_MS - STEP), LARGE, None),
        (VMAGENT, replace(PROMETHEUS, newest=None), PLAN, None),
        (VMAGENT, StoreFacts("Grafana Mimir"), LARGE, False),
        (VMAGENT, VM, LARGE, None),
        (COLLECTOR, replace(PROMETHEUS, newest=None), LARGE, None),
    ],
)
def test_a_vmagent_keeps_no_order(kind: str, store: StoreFacts, plan: PushPlan, loses: bool | None) -> None:
    """Of 576,000 samples pushed through vmagent 1.79 into a Prometheus 2.42, 438,178 arrived."""
    found = told(Forwarder(kind, "http://f"), store, plan).get("order")
    assert (found.loses if found else None) is loses
    assert found is None or "out_of_order_time_window" in found.fix


def test_an_agent_loses_whatever_the_store_behind_keeps() -> None:
    assert told(Forwarder(AGENT, "http://a", only_new=True), replace(VM, retention=None))["forwarder"].loses


def test_limits_of_the_forwarder_count() -> None:
    findings = told(Forwarder(VMAGENT, "http://f", limits=Limits(labels=1, rules=("-remoteWrite.label adds labels",))))
    assert findings["labels"].samples == 2_880
    assert "vmagent" in findings["labels"].text
    assert "-remoteWrite.label" in findings["rules"].text


def test_blocks_go_past_it() -> None:
    assert "forwarder" not in told(Forwarder(AGENT, "http://a"), None, replace(PLAN, mode="blocks"))
