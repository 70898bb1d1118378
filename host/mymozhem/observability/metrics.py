"""Metrics of this process for Prometheus: each host has a registry of its own.

`docs/reference/metrics.md` lists names, labels and units. Labels contain names of apps, codes and
route templates only: never an id of a room or a person, so that their number stays small.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from mymozhem.concurrency.periodic_task import PeriodicTask

from .call_observer import Observed

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_LAG_EVERY = 0.5
BREAKER_STATES = ("open", "half_open")


class BreakerState(NamedTuple):
    """A breaker that is not closed: one of `BREAKER_STATES`."""

    app_id: str
    version: str
    capability: str
    state: str


class Metrics:
    """The metrics of a host process; a `CallObserver`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, namespace="mymozhem", registry=self.registry)
        gauge = partial(Gauge, namespace="mymozhem", registry=self.registry)
        histogram = partial(
            Histogram, namespace="mymozhem", registry=self.registry, buckets=_SECONDS
        )
        self._calls = counter(
            "calls",
            "Finished calls of apps.",
            ("app", "capability", "result", "code", "decided_by"),
        )
        self._seconds = histogram(
            "call_duration_seconds",
            "The duration of calls that reached the app.",
            ("app", "capability"),
        )
        self._requests = counter(
            "http_requests",
            "Finished HTTP requests.",
            ("route", "status"),
        )
        self._request_seconds = histogram(
            "http_request_duration_seconds",
            "The duration of HTTP requests.",
            ("route",),
        )
        self._breakers = gauge(
            "breaker_state",
            "1 for the state of a breaker that is not closed.",
            ("app", "version", "capability", "state"),
        )
        self._deliveries = gauge(
            "deliveries",
            "Deliveries that are pending or dead.",
            ("state",),
        )
        self._pool = gauge(
            "database_connections_in_use",
            "Connections in use.",
            ("pool",),
        )
        self._lag = histogram(
            "event_loop_lag_seconds",
            "The lag of the event loop.",
        )
        self._before: list[Callable[[], None]] = []
        # Cached, since the lookup of a series by its labels takes longer than counting.
        self._series: dict[tuple[str, ...], tuple[Counter, Histogram]] = {}
        self._answers: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def observed(self, call: Observed, /) -> None:
        """Count a finished call; it takes a few microseconds, since every call does it."""
        code, decided_by = call.failure_code or "", call.decided_by.value
        names = (call.app_id, call.capability, call.result, code, decided_by)
        series = self._series.get(names)
        if series is None:
            counter, seconds = self._calls.labels(*names), self._seconds.labels(*names[:2])
            series = self._series[names] = (counter, seconds)
        series[0].inc()
        if call.reached:
            series[1].observe(call.duration_ms / 1000)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an HTTP request by the template of its route."""
        series = self._answers.get((route, status))
        if series is None:
            counter = self._requests.labels(route, str(status))
            series = self._answers[route, status] = (counter, self._request_seconds.labels(route))
        series[0].inc()
        series[1].observe(seconds)

    def breakers(self, states: Iterable[BreakerState]) -> None:
        """Set the breakers that are not closed; remove all others."""
        self._breakers.clear()
        for app_id, version, capability, now in states:
            for state in BREAKER_STATES:
                self._breakers.labels(app_id, version, capability, state).set(now == state)

    def deliveries(self, counts: Mapping[str, int]) -> None:
        """Set the number of deliveries in each state."""
        for state, count in counts.items():
            self._deliveries.labels(state).set(count)

    def pools(self, in_use: Mapping[str, int]) -> None:
        """Set the number of connections of each pool that are in use."""
        for pool, count in in_use.items():
            self._pool.labels(pool).set(count)

    def lagged(self, seconds: float) -> None:
        """Record a lag of the event loop."""
        self._lag.observe(seconds)

    def before_scrape(self, look: Callable[[], None]) -> None:
        """Run a callback before each scrape; it must not block."""
        self._before.append(look)

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus (`CONTENT_TYPE`)."""
        for look in self._before:
            look()
        return generate_latest(self.registry)


class LagWatch:
    """Measures the lag of the event loop."""

    def __init__(self, metrics: Metrics, *, every: float = _LAG_EVERY) -> None:
        self._metrics = metrics
        self._every = every
        self._due: float | None = None
        self._task = PeriodicTask("event loop lag", self._measure, every=every)

    def start(self) -> None:
        """Start in the running event loop. Idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Stop immediately. Idempotent."""
        await self._task.stop()
        self._due = None

    async def _measure(self) -> None:
        """Measure how late this step is; the first step only schedules the next one."""
        now = asyncio.get_running_loop().time()
        if self._due is not None:
            self._metrics.lagged(max(0.0, now - self._due))
        self._due = now + self._every
