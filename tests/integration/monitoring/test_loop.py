"""The loop goes on by itself: counts, incidents and mails, through faults, until it is stopped."""

from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, select, text

from mymozhem.clock import Clock
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.monitoring.tables import CallCountRow
from tests.integration.monitoring.records import OPEN, MonitoredHost, health, observed
from tests.integration.monitoring.test_mails import Inbox, smtp_server
from tests.support.timing import LoadTolerantClock, until


@pytest.fixture
def clock() -> Clock:
    """The machine's own: the loop sleeps by it."""
    return LoadTolerantClock()


@asynccontextmanager
async def running(loop):
    loop.start()
    loop.start()  # twice is once
    try:
        yield
    finally:
        await loop.stop()
        await loop.stop()


async def counted(database) -> int | None:
    async with database.read() as session:
        return await session.scalar(select(func.sum(CallCountRow.calls)))


async def test_an_incident_is_told_and_the_last_counts_are_written_when_it_stops(database, clock):
    inbox, counts = Inbox(), CallCounts(clock)
    async with smtp_server(inbox) as port:
        mail = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "host@example.org"}
        loop = health(
            database, clock, MonitoredHost(breakers=[OPEN]), counts=counts, pace=0.001, **mail
        )
        async with running(loop):
            await until(lambda: inbox.taken)
            counts.observed(observed())
    assert len(inbox.taken) == 1
    assert await counted(database) == 2  # in five minutes, and in an hour


async def test_a_look_that_fails_is_not_the_last_one(database, clock):
    async with database.write() as unit:
        await unit.session.execute(text("ALTER TABLE health_turns RENAME TO elsewhere"))
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        mail = {"smtp_url": f"smtp://127.0.0.1:{port}", "mail_from": "host@example.org"}
        loop = health(database, clock, MonitoredHost(breakers=[OPEN]), pace=0.001, **mail)
        with pytest.raises(Exception, match="health_turns"):
            await loop.look()
        async with running(loop):
            async with database.write() as unit:
                await unit.session.execute(text("ALTER TABLE elsewhere RENAME TO health_turns"))
            await until(lambda: inbox.taken)
