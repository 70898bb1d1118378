"""`mymozhem alerts` beside a host, on both databases."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.clock import HeldClock
from mymozhem.db.unit_of_work import Database
from mymozhem.monitoring.alert_rules import AppOff, Facts, due_alerts
from mymozhem.monitoring.incidents import reconcile
from mymozhem.monitoring.sources import AffectedRoom, AffectedRooms, Sources
from mymozhem.observability.metrics import BreakerState
from tests.support.databases import mark_as_migrated, run

OPEN = BreakerState("raffle", "1.0.0", "actions", "open")
STOPPED = AppOff("wheel", "1.0.0", gone=False, reason="it draws the wrong people")


async def affected_rooms(_session, _app_id):
    return AffectedRooms((AffectedRoom("room_1", "Summer raffle"),), 1)


async def found(url, *moments):
    """Let a host look at facts, one moment after the other, an hour between them."""
    clock = HeldClock()
    database = Database(url, clock=clock)
    await database.open(exclusive=False)
    try:
        for facts in moments:
            clock.advance(timedelta(hours=1).total_seconds())
            async with database.write() as unit:
                await reconcile(unit, due_alerts(facts), Sources(affected_rooms=affected_rooms))
    finally:
        await database.close()


@pytest.fixture
def mymozhem(database_url, tmp_path, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))
    run(mark_as_migrated(database_url))
    return lambda *words: CliRunner().invoke(cli, ["alerts", *words])


def test_what_is_open_is_told_as_in_a_mail(mymozhem, database_url):
    run(found(database_url, Facts(breakers=[OPEN]), Facts(off=[STOPPED])))
    shown = mymozhem().stdout
    assert "wheel was stopped by an operator: it draws the wrong people" in shown
    assert "Summer raffle (room_1)" in shown
    assert "mymozhem apps start wheel" in shown
    assert "1.0.0 (actions) failed several times" not in shown


def test_what_is_over_is_told_when_it_is_asked_for(mymozhem, database_url):
    run(found(database_url, Facts(breakers=[OPEN]), Facts(off=[STOPPED])))
    assert "Over since" in mymozhem("--all", "--app", "raffle").stdout
    listed = json.loads(mymozhem("--all", "--format", "json").stdout)
    assert [(each["appId"], each["recoveredAt"] is None) for each in listed] == [
        ("wheel", True), ("raffle", False),
    ]  # fmt: skip
    assert listed[1]["rooms"] == [{"id": "room_1", "name": "Summer raffle"}]
    assert len(json.loads(mymozhem("--all", "--limit", "1", "--format", "json").stdout)) == 1


def test_where_nothing_is_wrong_that_is_said(mymozhem):
    heard = mymozhem()
    assert (heard.exit_code, heard.stdout) == (0, "")
    assert "There is no open alert." in heard.stderr
    assert json.loads(mymozhem("--format", "json").stdout) == []
