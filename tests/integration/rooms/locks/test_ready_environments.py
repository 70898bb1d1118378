"""When an environment becomes ready, everything that is parked for it continues at once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.deliveries.tables import StreamRow
from mymozhem.rooms import timers
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.tables.timers import TimerRow
from mymozhem.wiring.process import open_parts
from tests.support.host import make_host
from tests.support.relay_host import PARKED, App, RelayHost
from tests.support.timing import HANG_TIMEOUT
from tests.support.wheels import Counter, app_manifest, lay_out, write_app


@pytest.fixture
def clock():
    return SystemClock()


async def test_timers_and_deliveries_that_wait_for_missing_code_are_due_at_once(
    database, database_url, clock, tmp_path
):
    host = await make_host(database, clock, tmp_path, {"counter": Counter()})
    room = await host.start("counter")
    async with room_transaction(host.services, room.id) as writer:
        await timers.schedule(writer, "t", after_ms=0, payload={})
    await host.services.dispatcher.close()
    post = RelayHost(database, clock)
    await post.put(1, app="counter")
    await post.run(App([PARKED]))
    soon = clock.now() + timedelta(seconds=59)
    async with database.write() as unit:
        await unit.session.execute(update(TimerRow).values(attempts=4, next_at=soon))

    async def waits() -> bool:
        async with database.read() as session:
            timer = await session.scalar(select(TimerRow.next_at))
            delivery = await session.scalar(select(StreamRow.next_at))
        return timer > clock.now() or delivery > clock.now()

    settings = Settings(_env_file=None, data_dir=tmp_path / "data", database_url=database_url)
    async with open_parts(settings, clock, exclusive=False) as parts:
        await parts.services.catalog.refresh()
        assert await waits()
        lay_out(settings.isolated_dir, write_app(tmp_path), app_manifest())
        await parts.services.catalog.refresh_if_news()
        async with asyncio.timeout(HANG_TIMEOUT):
            while await waits():  # noqa: ASYNC110  a task of the process makes them due
                await asyncio.sleep(0.01)
