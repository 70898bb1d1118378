"""An incident is told once, when it opens and when it is over, and at night in the morning."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from mymozhem.clock import HeldClock
from mymozhem.monitoring.alert_rules import Facts
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.monitoring.cluster_turns import run_once_per_cluster
from mymozhem.monitoring.sources import AffectedRooms, DeliveryCount
from mymozhem.monitoring.tables import RuleName, Severity
from tests.integration.monitoring.records import (
    OPEN,
    ROOMS,
    MonitoredHost,
    alerts,
    failed,
    health,
    letters,
    observed,
)

pytestmark = pytest.mark.both_engines

MAIL = {"smtp_url": "smtp://127.0.0.1:1", "mail_from": "host@example.org"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world() -> MonitoredHost:
    return MonitoredHost(affected_rooms=AffectedRooms(ROOMS, 7))


async def look(loop, clock, *, after=MINUTE):
    """Let time pass, and look once."""
    clock.advance(after)
    await loop.run_due()


async def subjects(database):
    return [each.subject for each in await letters(database)]


async def test_an_incident_opens_once_and_is_over_once(database, clock, world):
    loop = health(database, clock, world, **MAIL)
    world.breakers = [OPEN]
    for _ in range(5):
        await look(loop, clock)
    (alert,) = await alerts(database)
    assert (alert.rule, alert.severity) == (RuleName.BREAKER, Severity.CRITICAL)
    assert (alert.app_id, alert.version, alert.capability) == ("raffle", "1.0.0", "actions")
    assert len(await letters(database)) == 1
    world.breakers = []
    for _ in range(5):
        await look(loop, clock)
    (alert,) = await alerts(database)
    assert alert.recovered_at is not None
    opening, recovery = await subjects(database)
    assert opening.startswith("[mymozhem] critical: raffle 1.0.0 (actions) failed")
    assert recovery.startswith("[mymozhem] recovered: raffle 1.0.0 (actions) failed")
    world.breakers = [OPEN]
    await look(loop, clock)
    assert len(await alerts(database)) == 2


async def test_a_mail_names_the_rooms_that_suffer_and_what_to_do(database, clock, world):
    loop = health(database, clock, world, **MAIL)
    world.breakers = [OPEN]
    await look(loop, clock)
    (mail,) = await letters(database)
    assert "7 active rooms are locked to this app:" in mail.body
    assert "- Summer raffle (room_1)" in mail.body
    assert "- Quiz Bcc: x@y.z (room_2)" in mail.body
    assert "- and 5 more" in mail.body
    assert "app: raffle\nversion: 1.0.0\ncapability: actions\ncode: APP_PAUSED" in mail.body
    assert "What to do: The host calls the app again automatically" in mail.body
    assert "https://events.example.org/api/v1/admin/alerts" in mail.body
    (alert,) = await alerts(database)
    assert (alert.rooms[0], alert.room_count) == ({"id": "room_1", "name": "Summer raffle"}, 7)


async def test_an_app_s_owner_is_told_with_the_admins_and_each_gets_a_mail_of_their_own(
    database, clock, world
):
    world.people = {"raffle": ["owner@example.org", "admin@example.org"]}
    loop = health(database, clock, world, **MAIL)
    world.breakers = [OPEN]
    await look(loop, clock)
    assert sorted(each.recipient for each in await letters(database)) == [
        "admin@example.org", "owner@example.org",
    ]  # fmt: skip


async def test_an_incident_that_flickers_is_one(database, clock, world):
    loop = health(database, clock, world, **MAIL)
    for on in (True, False, True, False, True):
        world.breakers = [OPEN] if on else []
        await look(loop, clock)
    assert [each.recovered_at for each in await alerts(database)] == [None]
    assert len(await letters(database)) == 1


async def test_what_gets_worse_is_told_again(database, clock, world):
    counts = CallCounts(clock)
    loop = health(database, clock, world, counts=counts, **MAIL)
    for call in [observed()] * 93 + [failed()] * 7:
        counts.observed(call)
    await look(loop, clock)
    for call in [failed()] * 20:
        counts.observed(call)
    await look(loop, clock)
    await look(loop, clock)
    (alert,) = await alerts(database)
    assert (alert.severity, alert.code) == (Severity.CRITICAL, "APP_TIMEOUT")
    told = [subject.split(":")[0] for subject in await subjects(database)]
    assert told == ["[mymozhem] warning", "[mymozhem] critical"]


async def test_two_evaluators_open_and_tell_one_incident(database, clock, world):
    loops = [health(database, clock, world, **MAIL) for _ in range(2)]
    facts = Facts(breakers=[OPEN], deliveries=[DeliveryCount("raffle", 0, 500)])
    await asyncio.gather(*(loop.evaluate(facts) for loop in loops))
    assert len(await alerts(database)) == 2
    assert len(await letters(database)) == 2


async def test_a_turn_is_one_process_s_until_it_is_due_again(database, clock):
    async def turns():
        span = timedelta(seconds=30)
        return await asyncio.gather(
            *(run_once_per_cluster(database, "a", every=span) for _ in range(5))
        )

    assert sum(await turns()) == 1
    assert sum(await turns()) == 0
    clock.advance(30)
    assert sum(await turns()) == 1


async def test_without_a_mail_server_incidents_stand_and_nobody_is_written_to(
    database, clock, world
):
    loop = health(database, clock, world)
    world.breakers = [OPEN]
    await look(loop, clock)
    assert len(await alerts(database)) == 1
    assert await letters(database) == []
    with_server = health(database, clock, world, **MAIL)
    await look(with_server, clock)
    assert await letters(database) == []  # what is old news then is not sent


class TestAtNight:
    """22:00 to 08:00 in Helsinki is 20:00 to 06:00 UTC, in winter."""

    NIGHT = {"quiet_hours": "22:00-08:00", "time_zone": "Europe/Helsinki", **MAIL}

    @pytest.fixture
    def clock(self) -> HeldClock:
        return HeldClock(datetime(2030, 1, 15, 19, 50, tzinfo=UTC))

    async def test_warnings_of_the_night_are_one_mail_in_the_morning(self, database, clock, world):
        loop = health(database, clock, world, **self.NIGHT)
        clock.advance(timedelta(hours=1))  # 22:50 there
        world.deliveries = [DeliveryCount("raffle", 0, 500)]
        await look(loop, clock)
        world.deliveries = []
        await look(loop, clock, after=3 * MINUTE)
        world.deliveries = [DeliveryCount("wheel", 0, 500)]
        await look(loop, clock)
        assert await letters(database) == []
        await look(loop, clock, after=timedelta(hours=9))  # 07:55 there
        assert await letters(database) == []
        await look(loop, clock, after=6 * MINUTE)
        (digest,) = await letters(database)
        assert digest.subject == "[mymozhem] last night: 2 warnings, 1 still open"
        assert "500 deliveries to raffle were given up." in digest.body
        assert "Over since 2030-01-15T20:54:00.000Z." in digest.body
        assert "500 deliveries to wheel were given up." in digest.body
        await look(loop, clock)
        assert len(await letters(database)) == 1
        world.deliveries = []
        await look(loop, clock, after=5 * MINUTE)
        assert (await subjects(database))[1:] == [
            "[mymozhem] recovered: 500 deliveries to wheel were given up."
        ]

    async def test_what_is_critical_is_told_at_once_and_so_is_its_end(self, database, clock, world):
        loop = health(database, clock, world, **self.NIGHT)
        clock.advance(timedelta(hours=1))
        world.breakers = [OPEN]
        await look(loop, clock)
        world.breakers = []
        await look(loop, clock, after=3 * MINUTE)
        assert [each.split(":")[0] for each in await subjects(database)] == [
            "[mymozhem] critical", "[mymozhem] recovered",
        ]  # fmt: skip

    async def test_each_person_s_digest_holds_what_concerns_them(self, database, clock, world):
        world.people = {"raffle": ["owner@example.org", "admin@example.org"]}
        loop = health(database, clock, world, **self.NIGHT)
        clock.advance(timedelta(hours=1))
        world.deliveries = [DeliveryCount("raffle", 0, 500), DeliveryCount("wheel", 0, 500)]
        await look(loop, clock)
        await look(loop, clock, after=timedelta(hours=10))
        told = {each.recipient: each.subject for each in await letters(database)}
        assert told == {
            "owner@example.org": "[mymozhem] last night: 1 warning, 1 still open",
            "admin@example.org": "[mymozhem] last night: 2 warnings, 2 still open",
        }

    async def test_what_began_by_day_and_ends_at_night_is_told_in_the_morning(
        self, database, clock, world
    ):
        loop = health(database, clock, world, **self.NIGHT)
        world.deliveries = [DeliveryCount("raffle", 0, 500)]
        await look(loop, clock)
        world.deliveries = []
        await look(loop, clock, after=timedelta(hours=1))
        assert len(await letters(database)) == 1
        await look(loop, clock, after=timedelta(hours=10))
        assert (await subjects(database))[1:] == ["[mymozhem] last night: 1 warning, 0 still open"]
