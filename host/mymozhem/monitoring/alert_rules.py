"""The rules of alerts: derive alerts from facts. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mymozhem.clock import ClockJump, iso
from mymozhem.observability.metrics import BreakerState

from .call_counts import SLOW_SHARE
from .call_statistics import BLOCKED, TIMERS, CallStatistics
from .sources import DeliveryCount, Orphans
from .tables import AppStatus, RuleName, Severity

#: the minimum number of calls in the hour for a rate
ENOUGH_CALLS = 20
WARN_BELOW = 0.95
CRITICAL_BELOW = 0.90
#: at most this share of calls may be slow; with more, p95 is slow, too
SLOW_CALLS = 0.05
DEAD_LETTERS = 100
CHECKS_IN_A_ROW = 3
MISCONFIGURED = "APP_MISCONFIGURED"

_STOP = (
    "If it does not recover, stop it with `mymozhem apps stop {app} --reason …` or with "
    "POST /api/v1/admin/apps/{app}/stop: then its fallbacks decide."
)
ADVICE = {
    RuleName.MISCONFIGURED: (
        "Compare the address and the paths in the app's manifest with its server, and the secret "
        "that it uses; `mymozhem apps secret {app}` makes a new one, which its server needs "
        "then (POST /api/v1/apps/{app}/regenerate-secret). An address in a private network has to "
        "lie in MYMOZHEM_ALLOW_NETWORKS."
    ),
    RuleName.SUCCESS_RATE: "Look at /api/v1/admin/webhooks and at the app's own log. " + _STOP,
    RuleName.SLOW: (
        "Look at what the app waits for. Calls that miss their deadline are answered by its "
        "fallbacks; a longer deadline needs a new version of its manifest."
    ),
    RuleName.BREAKER: (
        "The host calls the app again automatically after a minute. Look at "
        "/api/v1/admin/breakers and at the app's own log. If the app works again, POST "
        "/api/v1/admin/breakers/reset ends the wait. " + _STOP
    ),
    RuleName.DEAD_LETTERS: (
        "See them with `mymozhem deliveries list --state dead` or at /api/v1/admin/dead-letters, "
        "fix the cause, then retry or delete them."
    ),
    RuleName.CHECKS: "Look at the app's own log, and whether its server runs. " + _STOP,
    RuleName.BLOCKED: (
        "Tell its author: a coroutine of the app computes or waits without `await`; it has to be a "
        "plain function. " + _STOP
    ),
    RuleName.TIMERS: (
        "Tell its author: the timers of a room may fire ten times a second; others are refused "
        "with TIMERS_TOO_OFTEN."
    ),
    RuleName.CLOCK: (
        "Look at the time synchronization of the machine (for example `timedatectl`, `chronyc "
        "tracking`). Open windows keep the time that was left if it was the clock of a host; if it "
        "was that of the database server, look at open windows and extend or close them."
    ),
    RuleName.APP_OFF: (
        "Once it works, start it with `mymozhem apps start {app}` or with "
        "POST /api/v1/admin/apps/{app}/start. Its deliveries are kept."
    ),
}


class CheckedApp(NamedTuple):
    """The results of the last health checks of a version."""

    app_id: str
    version: str
    status: AppStatus
    failures_in_a_row: int


class AppOff(NamedTuple):
    """An app that is no longer called; `gone` means that the app said so itself."""

    app_id: str
    version: str | None
    gone: bool
    reason: str | None


@dataclass(frozen=True)
class Facts:
    """What is known at one moment; `hour` are the figures of the last hour."""

    hour: Sequence[CallStatistics] = ()
    breakers: Sequence[BreakerState] = ()
    deliveries: Sequence[DeliveryCount] = ()
    checks: Sequence[CheckedApp] = ()
    off: Sequence[AppOff] = ()
    orphans: Sequence[Orphans] = ()
    clock_jumps: Sequence[ClockJump] = ()


@dataclass(frozen=True)
class Alert:
    """A problem that exists now; `key` stays the same as long as it is the same problem."""

    rule: RuleName
    severity: Severity
    summary: str
    app_id: str | None = None
    version: str | None = None
    capability: str | None = None
    code: str | None = None
    do: str | None = None

    @property
    def key(self) -> str:
        """The identity of the alert: the rule, and its subject."""
        about = (self.rule.value, self.app_id or "", self.capability or "")
        return ":".join(about)

    @property
    def advice(self) -> str:
        """What to do about it."""
        return self.do or ADVICE[self.rule].format(app=self.app_id or "")


def due_alerts(facts: Facts) -> list[Alert]:
    """Return all current alerts, one per key: the first one found."""
    found: dict[str, Alert] = {}
    stopped = {app.app_id for app in facts.off}
    for finding in _all(facts):
        if finding.app_id in stopped and finding.rule not in _WHEN_OFF:
            continue  # it is no longer called: one alert says so
        found.setdefault(finding.key, finding)
    return list(found.values())


_WHEN_OFF = {RuleName.APP_OFF, RuleName.DEAD_LETTERS}


def _all(facts: Facts) -> Iterator[Alert]:
    for each in facts.hour:
        yield from _misconfigured(each)
        yield from _success(each)
        yield from _slow(each)
        yield from _reported(each)
    yield from map(_breaker, (b for b in facts.breakers if b.state == "open"))
    yield from _dead_letters(facts.deliveries)
    yield from map(_check, (c for c in facts.checks if c.failures_in_a_row >= CHECKS_IN_A_ROW))
    yield from map(_off, facts.off)
    yield from map(_orphaned, facts.orphans)
    yield from map(_jumped, reversed(facts.clock_jumps))  # one alert, about the latest


def _misconfigured(hour: CallStatistics) -> Iterator[Alert]:
    """Find a single such call: a wrong configuration does not recover on its own."""
    count = hour.codes.get(MISCONFIGURED, 0)
    if count:
        calls = "1 call" if count == 1 else f"{count} calls"
        yield Alert(
            RuleName.MISCONFIGURED,
            Severity.CRITICAL,
            f"{hour.app_id} {_versions(hour)} rejected {calls} ({hour.capability}) within an "
            "hour: its server answered 401, 403 or 404, or its address may not be reached.",
            hour.app_id, _versions(hour), hour.capability, MISCONFIGURED,
        )  # fmt: skip


def _success(hour: CallStatistics) -> Iterator[Alert]:
    rate = hour.success_rate
    if rate is None or hour.successes + hour.failures < ENOUGH_CALLS or rate >= WARN_BELOW:
        return
    yield Alert(
        RuleName.SUCCESS_RATE,
        Severity.CRITICAL if rate < CRITICAL_BELOW else Severity.WARNING,
        f"{hour.app_id} {_versions(hour)} failed in {hour.failures} of "
        f"{hour.successes + hour.failures} calls ({hour.capability}) within an hour, mostly with "
        f"{hour.worst_code}.",
        hour.app_id, _versions(hour), hour.capability, hour.worst_code,
    )  # fmt: skip


def _slow(hour: CallStatistics) -> Iterator[Alert]:
    if hour.asked < ENOUGH_CALLS or hour.slow <= hour.asked * SLOW_CALLS:
        return
    p95 = round(hour.spread.p95_ms or 0)
    yield Alert(
        RuleName.SLOW,
        Severity.WARNING,
        f"{hour.app_id} {_versions(hour)} ({hour.capability}) needed over {SLOW_SHARE:.0%} of its "
        f"deadline in {hour.slow} of {hour.asked} calls within an hour; p95 is {p95} ms.",
        hour.app_id, _versions(hour), hour.capability,
    )  # fmt: skip


def _reported(hour: CallStatistics) -> Iterator[Alert]:
    """Find what an app does wrong besides its replies; once within the hour is enough."""
    for code, (rule, severity, what) in _REPORTED.items():
        count = hour.reports.get(code, 0)
        if count:
            times = "once" if count == 1 else f"{count} times"
            name = f"{hour.app_id} {_versions(hour)} ({hour.capability})"
            summary = f"{name} {what} {times} within an hour."
            yield Alert(
                rule, severity, summary, hour.app_id, _versions(hour), hour.capability, code
            )


_REPORTED = {
    BLOCKED: (RuleName.BLOCKED, Severity.CRITICAL, "stopped the whole host while it computed,"),
    TIMERS: (
        RuleName.TIMERS,
        Severity.WARNING,
        "wanted more than ten timers in a second in one room,",
    ),
}


def _breaker(breaker: BreakerState) -> Alert:
    return Alert(
        RuleName.BREAKER,
        Severity.CRITICAL,
        f"{breaker.app_id} {breaker.version} ({breaker.capability}) failed several times in a row "
        "and is not called for a while.",
        breaker.app_id, breaker.version, breaker.capability, "APP_PAUSED",
    )  # fmt: skip


def _dead_letters(counts: Sequence[DeliveryCount]) -> Iterator[Alert]:
    """Blame each app with too many; if only all apps together have too many, the platform."""
    over = [each for each in counts if each.dead > DEAD_LETTERS]
    for each in over:
        summary = f"{each.dead} deliveries to {each.app_id} were given up."
        yield Alert(RuleName.DEAD_LETTERS, Severity.WARNING, summary, each.app_id)
    total = sum(each.dead for each in counts)
    if not over and total > DEAD_LETTERS:
        parts = ", ".join(f"{each.app_id} {each.dead}" for each in counts if each.dead)
        summary = f"{total} deliveries were given up: {parts}."
        yield Alert(RuleName.DEAD_LETTERS, Severity.WARNING, summary)


def _check(check: CheckedApp) -> Alert:
    return Alert(
        RuleName.CHECKS,
        Severity.WARNING,
        f"{check.app_id} {check.version} failed {CHECKS_IN_A_ROW} health checks in a row; the last "
        f"one found it {check.status}.",
        check.app_id, check.version, "health",
    )  # fmt: skip


def _off(app: AppOff) -> Alert:
    why = "says that it is gone (410)" if app.gone else "was stopped by an operator"
    reason = f": {app.reason}" if app.reason else ""
    return Alert(
        RuleName.APP_OFF,
        Severity.CRITICAL if app.gone else Severity.WARNING,
        f"{app.app_id} {why}{reason}. It is not called any more.",
        app.app_id, app.version, None, "APP_GONE" if app.gone else "APP_STOPPED",
    )  # fmt: skip


def _orphaned(app: Orphans) -> Alert:
    versions = ", ".join(app.versions)
    rooms = "1 room is" if app.rooms == 1 else f"{app.rooms} rooms are"
    return Alert(
        RuleName.APP_OFF,
        Severity.CRITICAL if app.active else Severity.WARNING,
        f"Nothing answers for {app.app_id} {versions}: {rooms} orphaned, {app.active} of them "
        "running. Their fallbacks decide.",
        app.app_id, versions, None, "APP_ORPHANED", app.do,
    )  # fmt: skip


def _jumped(jump: ClockJump) -> Alert:
    way = "forward" if jump.seconds > 0 else "back"
    whose, else_ = (
        ("the database server", "Open windows and timers moved with it.")
        if jump.of_database
        else ("a host", "Or the machine was suspended.")
    )
    return Alert(
        RuleName.CLOCK,
        Severity.WARNING,
        f"The clock of {whose} jumped {way} by {abs(jump.seconds):,.1f} seconds, to "
        f"{iso(jump.at)}. {else_}",
        code="CLOCK_JUMPED",
    )


def _versions(hour: CallStatistics) -> str:
    return ", ".join(hour.versions)
