"""What Prometheus reads is what happened, in its text format."""

import asyncio
import re
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mymozhem.contract import DecidedBy
from mymozhem.observability.call_observer import Observed, Observers
from mymozhem.observability.metrics import BreakerState, LagWatch, Metrics

LABELS = {"app": "raffle", "capability": "actions"}


def call(**changes) -> Observed:
    given = {
        "app_id": "raffle", "version": "1.0.0", "capability": "actions", "hook": "handle_action",
        "room_id": "room_1", "result": "success", "failure_code": None,
        "decided_by": DecidedBy.APP, "duration_ms": 30.0, "deadline_ms": 5_000, "attempt": 1,
        "reached": True,
    }  # fmt: skip
    return Observed(**given | changes)


def read(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return read(metrics).get((name, frozenset(labels.items())))


def test_calls_are_counted_by_what_became_of_them():
    metrics = Metrics()
    metrics.observed(call())
    metrics.observed(call())
    metrics.observed(
        call(
            result="failure", failure_code="APP_PAUSED", decided_by=DecidedBy.QUEUE,
            duration_ms=0.1, reached=False,
        )
    )  # fmt: skip
    answered = LABELS | {"result": "success", "code": "", "decided_by": "app"}
    paused = LABELS | {"result": "failure", "code": "APP_PAUSED", "decided_by": "queue"}
    assert value(metrics, "mymozhem_calls_total", **answered) == 2
    assert value(metrics, "mymozhem_calls_total", **paused) == 1
    assert value(metrics, "mymozhem_call_duration_seconds_count", **LABELS) == 2
    assert value(metrics, "mymozhem_call_duration_seconds_sum", **LABELS) == pytest.approx(0.06)
    assert value(metrics, "mymozhem_call_duration_seconds_bucket", **LABELS, le="0.025") == 0
    assert value(metrics, "mymozhem_call_duration_seconds_bucket", **LABELS, le="0.05") == 2


def test_requests_are_counted_by_the_template_of_their_route():
    metrics = Metrics()
    metrics.answered("GET /rooms/{id}", 200, 0.004)
    labels = {"route": "GET /rooms/{id}"}
    assert value(metrics, "mymozhem_http_requests_total", **labels, status="200") == 1
    assert value(metrics, "mymozhem_http_request_duration_seconds_count", **labels) == 1


def test_a_breaker_that_closes_is_shown_no_more():
    metrics = Metrics()
    names = {"app": "raffle", "version": "1.0.0", "capability": "actions"}
    metrics.breakers([BreakerState("raffle", "1.0.0", "actions", "open")])
    assert value(metrics, "mymozhem_breaker_state", **names, state="open") == 1
    assert value(metrics, "mymozhem_breaker_state", **names, state="half_open") == 0
    metrics.breakers([])
    assert value(metrics, "mymozhem_breaker_state", **names, state="open") is None


def test_deliveries_and_connections_are_those_of_the_last_look():
    metrics = Metrics()
    lent = iter([{"writer": 1}, {"writer": 3}])
    metrics.deliveries({"pending": 4, "dead": 2})
    metrics.before_scrape(lambda: metrics.pools(next(lent)))
    first, second = read(metrics), read(metrics)
    pool = ("mymozhem_database_connections_in_use", frozenset({("pool", "writer")}))
    assert (first[pool], second[pool]) == (1, 3)
    assert first["mymozhem_deliveries", frozenset({("state", "dead")})] == 2


def test_every_figure_is_documented():
    page = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"
    listed = dict(re.findall(r"^\| `(\w+?)(?:_total)?` \| (\w+) ", page.read_text(), re.MULTILINE))
    families = text_string_to_metric_families(Metrics().text().decode())
    assert listed == {
        each.name: each.type for each in families if not each.name.endswith("_created")
    }


def test_two_hosts_in_one_process_count_apart():
    one, other = Metrics(), Metrics()
    Observers(one).observed(call())
    labels = LABELS | {"result": "success", "code": "", "decided_by": "app"}
    assert value(one, "mymozhem_calls_total", **labels) == 1
    assert value(other, "mymozhem_calls_total", **labels) is None


@pytest.mark.real_time
async def test_a_blocked_event_loop_is_seen():
    metrics = Metrics()
    watch = LagWatch(metrics, every=0.01)
    watch.start()
    await asyncio.sleep(0)
    time.sleep(0.06)  # noqa: ASYNC251 - what must never happen, and is measured
    await asyncio.sleep(0.02)  # the watch was due before
    await watch.stop()
    await watch.stop()
    assert value(metrics, "mymozhem_event_loop_lag_seconds_sum") > 0.04
