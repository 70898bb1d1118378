"""Figures of this process for Prometheus: each host has a registry of its own.

Names, labels and units stand in `docs/reference/metrics.md`. Labels hold names of apps, codes and
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
    """What a host process counts; a `CallObserver`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter = partial(Counter, namespace="mymozhem", registry=self.registry)
        gauge = partial(Gauge, namespace="mymozhem", registry=self.registry)
        histogram = partial(
            Histogram, namespace="mymozhem", registry=self.registry, buckets=_SECONDS
        )
        self._calls = counter(
            "calls",
            "Calls of apps that are over.",
            ("app", "capability", "result", "code", "decided_by"),
        )
        self._seconds = histogram(
            "call_duration_seconds",
            "How long calls took that reached the app.",
            ("app", "capability"),
        )
        self._requests = counter(
            "http_requests",
            "HTTP requests answered.",
            ("route", "status"),
        )
        self._request_seconds = histogram(
            "http_request_duration_seconds",
            "How long HTTP requests took.",
            ("route",),
        )
        self._breakers = gauge(
            "breaker_state",
            "1 for the state of a breaker that is not closed.",
            ("app", "version", "capability", "state"),
        )
        self._deliveries = gauge(
            "deliveries",
            "Deliveries that wait, or were given up.",
            ("state",),
        )
        self._pool = gauge(
            "database_connections_in_use",
            "Connections that are lent out.",
            ("pool",),
        )
        self._lag = histogram(
            "event_loop_lag_seconds",
            "How late the event loop was.",
        )
        self._before: list[Callable[[], None]] = []
        # Kept, since finding a series by its labels takes longer than counting.
        self._series: dict[tuple[str, ...], tuple[Counter, Histogram]] = {}
        self._answers: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def observed(self, call: Observed, /) -> None:
        """Count a call that is over; it takes a few microseconds, as it is on every call's way."""
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
        """Show the breakers that are not closed; the others are shown no more."""
        self._breakers.clear()
        for app_id, version, capability, now in states:
            for state in BREAKER_STATES:
                self._breakers.labels(app_id, version, capability, state).set(now == state)

    def deliveries(self, counts: Mapping[str, int]) -> None:
        """Show how many deliveries there are in each state."""
        for state, count in counts.items():
            self._deliveries.labels(state).set(count)

    def pools(self, in_use: Mapping[str, int]) -> None:
        """Show how many connections of each pool are lent out."""
        for pool, count in in_use.items():
            self._pool.labels(pool).set(count)

    def lagged(self, seconds: float) -> None:
        """Take note of how late the event loop was."""
        self._lag.observe(seconds)

    def before_scrape(self, look: Callable[[], None]) -> None:
        """Have something looked up each time that the figures are asked for; it must not wait."""
        self._before.append(look)

    def text(self) -> bytes:
        """Return every figure in the text format of Prometheus (`CONTENT_TYPE`)."""
        for look in self._before:
            look()
        return generate_latest(self.registry)


class LagWatch:
    """Measures how late the event loop runs what is due."""

    def __init__(self, metrics: Metrics, *, every: float = _LAG_EVERY) -> None:
        self._metrics = metrics
        self._every = every
        self._due: float | None = None
        self._task = PeriodicTask("event loop lag", self._measure, every=every)

    def start(self) -> None:
        """Start in the running event loop; idempotent."""
        self._task.start()

    async def stop(self) -> None:
        """Stop at once; idempotent."""
        await self._task.stop()
        self._due = None

    async def _measure(self) -> None:
        """Measure how late this step is; the first one only says when the next one is due."""
        now = asyncio.get_running_loop().time()
        if self._due is not None:
            self._metrics.lagged(max(0.0, now - self._due))
        self._due = now + self._every
