"""What is wrong, from facts alone."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from mymozhem.auth.access_table import ACCESS
from mymozhem.cli import cli
from mymozhem.clock import ClockJump
from mymozhem.config import Settings
from mymozhem.monitoring.alert_rules import ADVICE, AppOff, CheckedApp, Facts, due_alerts
from mymozhem.monitoring.call_statistics import CallStatistics
from mymozhem.monitoring.duration_buckets import DurationBuckets
from mymozhem.monitoring.sources import DeliveryCount, Orphans
from mymozhem.monitoring.tables import AppStatus, RuleName, Severity
from mymozhem.observability.metrics import BreakerState


def hour(successes=0, failures=0, *, slow=0, asked=None, reports=None) -> CallStatistics:
    calls = successes + failures
    return CallStatistics(
        app_id="raffle",
        capability="actions",
        calls=calls,
        successes=successes,
        failures=failures,
        timeouts=0,
        fallbacks=failures,
        asked=calls if asked is None else asked,
        slow=slow,
        codes={"APP_TIMEOUT": failures} if failures else {},
        reports=reports or {},
        versions=("1.0.0",),
        spread=DurationBuckets(10.0, 10.0, 4_200.0, 4_800.0),
    )


def found(**facts):
    return [(each.rule, each.severity) for each in due_alerts(Facts(**facts))]


@pytest.mark.parametrize(
    ("successes", "failures", "severity"),
    [
        (20, 0, None),
        (95, 5, None),
        (94, 6, Severity.WARNING),
        (90, 10, Severity.WARNING),
        (89, 11, Severity.CRITICAL),
        (0, 20, Severity.CRITICAL),
        (0, 19, None),
        (0, 0, None),
    ],
)
def test_a_success_rate_that_is_too_low_is_found(successes, failures, severity):
    expected = [] if severity is None else [(RuleName.SUCCESS_RATE, severity)]
    assert found(hour=[hour(successes, failures)]) == expected


@pytest.mark.parametrize(("count", "wrong"), [(0, False), (1, True), (7, True)])
def test_one_call_that_a_server_does_not_let_in_is_enough(count, wrong):
    codes = {"APP_MISCONFIGURED": count} if count else {}
    expected = [(RuleName.MISCONFIGURED, Severity.CRITICAL)] if wrong else []
    assert found(hour=[replace(hour(5), codes=codes)]) == expected


@pytest.mark.parametrize(
    ("slow", "asked", "wrong"), [(5, 100, False), (6, 100, True), (2, 20, True), (19, 19, False)]
)
def test_an_app_whose_p95_comes_near_its_deadline_is_found(slow, asked, wrong):
    expected = [(RuleName.SLOW, Severity.WARNING)] if wrong else []
    assert found(hour=[hour(asked, slow=slow, asked=asked)]) == expected


def test_an_open_breaker_is_found_and_one_that_tries_again_is_not():
    states = [
        BreakerState("raffle", "1.0.0", "actions", "open"),
        BreakerState("raffle", "1.0.0", "health", "half_open"),
    ]
    assert found(breakers=states) == [(RuleName.BREAKER, Severity.CRITICAL)]


@pytest.mark.parametrize(
    ("dead", "about"),
    [([100], []), ([101], ["raffle0"]), ([60, 60], [None]), ([101, 60], ["raffle0"])],
)
def test_more_than_a_hundred_dead_letters_are_found(dead, about):
    counts = [DeliveryCount(f"raffle{n}", 0, each) for n, each in enumerate(dead)]
    assert [each.app_id for each in due_alerts(Facts(deliveries=counts))] == about


@pytest.mark.parametrize(("in_a_row", "wrong"), [(2, False), (3, True), (4, True)])
def test_three_failed_checks_are_found(in_a_row, wrong):
    checks = [CheckedApp("raffle", "1.0.0", AppStatus.DOWN, in_a_row)]
    expected = [(RuleName.CHECKS, Severity.WARNING)] if wrong else []
    assert found(checks=checks) == expected


@pytest.mark.parametrize(
    ("gone", "severity"), [(True, Severity.CRITICAL), (False, Severity.WARNING)]
)
def test_an_app_that_is_off_is_found_and_nothing_else_of_it(gone, severity):
    facts = {
        "off": [AppOff("raffle", "1.0.0", gone, "moved away")],
        "hour": [hour(0, 100)],
        "breakers": [BreakerState("raffle", "1.0.0", "actions", "open")],
    }
    assert found(**facts) == [(RuleName.APP_OFF, severity)]


@pytest.mark.parametrize(("active", "severity"), [(1, Severity.CRITICAL), (0, Severity.WARNING)])
def test_rooms_that_nothing_answers_for_are_found_with_the_way_out(active, severity):
    orphans = Orphans("raffle", ("1.0.0", "1.1.0"), 2, active, "Install it again.")
    (finding,) = due_alerts(Facts(orphans=[orphans]))
    assert (finding.rule, finding.severity) == (RuleName.APP_OFF, severity)
    assert (finding.code, finding.version) == ("APP_ORPHANED", "1.0.0, 1.1.0")
    assert finding.summary.startswith("Nothing answers for raffle 1.0.0, 1.1.0: 2 rooms are orph")
    assert finding.advice == "Install it again."


def test_an_app_that_is_off_and_orphaned_is_one_alert():
    facts = Facts(
        off=[AppOff("raffle", "1.0.0", gone=True, reason=None)],
        orphans=[Orphans("raffle", ("1.0.0",), 1, 1, "Install it again.")],
    )
    assert [finding.code for finding in due_alerts(facts)] == ["APP_GONE"]


def test_a_finding_says_what_broke_and_what_to_do():
    (finding,) = due_alerts(Facts(hour=[hour(80, 20)]))
    assert finding.summary == (
        "raffle 1.0.0 failed in 20 of 100 calls (actions) within an hour, mostly with APP_TIMEOUT."
    )
    assert "/admin/apps/raffle" in finding.advice
    assert (finding.app_id, finding.version, finding.capability, finding.code) == (
        "raffle", "1.0.0", "actions", "APP_TIMEOUT",
    )  # fmt: skip


def test_the_same_thing_in_two_versions_is_one_incident():
    states = [BreakerState("raffle", version, "actions", "open") for version in ("1.0.0", "2.0.0")]
    assert len(due_alerts(Facts(breakers=states))) == 1


@pytest.mark.parametrize("rule", RuleName)
def test_what_an_alert_tells_to_do_can_be_done(rule):
    advice = ADVICE[rule].format(app="raffle")
    for words in re.findall(r"`mymozhem ([^`…]+)", advice):
        helped = CliRunner().invoke(cli, [*words.removesuffix("--reason ").split(), "--help"])
        assert helped.exit_code == 0, helped.output
    for method, path in re.findall(r"(POST )?/api/v1(/[\w/-]+)", advice):
        assert f"{method.strip() or 'GET'} {path.replace('raffle', '{appId}')}" in ACCESS
    for name in re.findall(r"MYMOZHEM_(\w+)", advice):
        assert name.lower() in Settings.model_fields


@pytest.mark.parametrize(
    ("code", "rule", "severity"),
    [
        ("APP_BLOCKED_HOST", RuleName.BLOCKED, Severity.CRITICAL),
        ("TIMERS_TOO_OFTEN", RuleName.TIMERS, Severity.WARNING),
    ],
)
def test_what_an_app_does_wrong_besides_its_replies_is_an_alert_with_its_name(code, rule, severity):
    [alert] = due_alerts(Facts(hour=[hour(40, reports={code: 3})]))
    assert (alert.rule, alert.severity, alert.code) == (rule, severity, code)
    assert alert.summary.startswith("raffle 1.0.0 (actions) ")
    assert alert.summary.endswith("3 times within an hour.")


def test_a_jump_of_the_clock_is_one_alert_about_the_latest():
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    jumps = [ClockJump(noon, 3_600.0), ClockJump(noon + timedelta(minutes=1), -3_600.0)]
    [alert] = due_alerts(Facts(clock_jumps=jumps))
    assert (alert.rule, alert.severity, alert.app_id) == (RuleName.CLOCK, Severity.WARNING, None)
    assert "back by 3,600.0 seconds, to 2030-01-01T12:01:00.000Z" in alert.summary
    assert "timedatectl" in alert.advice
