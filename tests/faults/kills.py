"""What the tests of killed hosts share: the event they work on, the kills, and what must hold."""

import asyncio
import json
import os
import signal
from datetime import timedelta
from itertools import count

from sqlalchemy import select, update

from mymozhem.auth.tables import UserRow
from mymozhem.clock import SystemClock
from mymozhem.contract import PrizeCount, fair
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms import timers
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.prizes.manage import NewPrize, add_prize
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.events import RoomEventRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomStateRow
from mymozhem.rooms.tables.timers import TimerRow
from mymozhem.rooms.tables.windows import WindowRow
from tests.faults import host_child
from tests.support.apps.timer_app import TimerApp
from tests.support.forked_process import fork
from tests.support.host import HostHarness, make_host, make_services

ROUNDS = int(os.environ.get("MYMOZHEM_FAULT_ROUNDS", "2"))
WINS, QUANTITY = 2, 10


def rounds(*, until):
    """Yield the number of each round and a factor for its times, until `until` returns true.

    At least `ROUNDS` rounds are played. On a busy machine a round may be too short for anything to
    happen, so each further round has twice the time of the one before.
    """
    for number in count():
        if number >= ROUNDS and until():
            return
        yield number, 2 ** max(0, number - ROUNDS + 1)


async def end_leases(url):
    """Do what time does after a kill: end the leases that the dead host had."""
    database = Database(url, clock=SystemClock())
    await database.open()
    async with database.write() as unit:
        ended = unit.now - timedelta(seconds=1)
        for table in (DrawRow, TimerRow, WindowRow):
            leased = update(table).where(table.lease.is_not(None))
            await unit.session.execute(leased.values(lease_until=ended))
    await database.close()


class Scene:
    """An event in a database of its own, on which one host after the other is killed."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.draws, self.timers = [], []

    async def set_up(self):
        async with self.host() as host:
            room = await host.start("marker")
            await host.guests(room, 5)
            self.room_id = room.id

    async def ask_for_draws(self, number):
        async with self.host() as host, room_transaction(host.services, self.room_id) as writer:
            for _ in range(number):
                prize = await add_prize(writer, NewPrize("Bicycle", quantity=QUANTITY))
                prizes = (PrizeCount(prize_id=prize.id, count=WINS),)
                wish = DrawRequest(prizes=prizes, run=True)
                self.draws.append((await commands.request(writer, wish)).id)

    async def set_timers(self, number):
        async with self.host() as host, room_transaction(host.services, self.room_id) as writer:
            for _ in range(number):
                name = f"t{len(self.timers)}"
                await timers.schedule(writer, name, after_ms=0, payload={})
                self.timers.append(name)

    def host(self):
        return _HostPool(self)

    async def kill_at(self, steps):
        """Run a host that kills itself at a step; return whether it came that far."""
        child = await self._start(steps)
        return await child.wait() == -signal.SIGKILL

    async def kill_after(self, seconds):
        """Run a host and kill it from outside after a time."""
        child = await self._start(1_000_000)
        try:
            async with asyncio.timeout(seconds):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()

    async def finish(self):
        """Run a host until nothing is left to do; return the steps that it took."""
        child = await self._start(0)
        said = await child.stdout.read()
        assert await child.wait() == 0
        return int(said)

    async def _start(self, steps):
        await end_leases(self.url)
        return await fork(host_child.main, self.url, str(self.folder), steps)

    async def rows(self, table):
        database = Database(self.url, clock=SystemClock())
        await database.open()
        async with database.read() as session:
            found = list(await session.scalars(select(table)))
        await database.close()
        return found

    async def check_log(self):
        events = sorted(await self.rows(RoomEventRow), key=lambda event: event.seq)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        return events

    async def check_draws(self):
        """Each draw has one result that a stranger can verify; quantities add up."""
        draws = {draw.id: draw for draw in await self.rows(DrawRow)}
        assert set(draws) == set(self.draws)
        assert sorted(draw.link_index for draw in draws.values()) == [*range(1, len(draws) + 1)]
        wins = await self.rows(WinnerRow)
        left = [prize.quantity_remaining for prize in await self.rows(PrizeRow)]
        assert left == [QUANTITY - WINS] * len(draws)
        assert [win.sealed for win in wins] == [False] * WINS * len(draws)
        await self._verify(draws)
        events = [event.type for event in await self.check_log()]
        for kind in ("draw:committed", "draw:revealed"):
            assert events.count(kind) == len(draws)
        assert events.count("winner:selected") == len(wins)

    async def _verify(self, draws):
        async with self.host() as host:
            for draw_id in draws:
                document = json.loads(await record(host.services, self.room_id, draw_id))
                assert fair.verify(document).ok

    async def check_timers(self):
        """Each timer had its effects once, and is gone."""
        assert await self.rows(TimerRow) == []
        events = await self.check_log()
        fired = [event.payload["timer"] for event in events if event.type == "marker:fired"]
        assert sorted(fired) == sorted(self.timers)
        [state] = await self.rows(RoomStateRow)
        assert state.public == {"count": len(self.timers)}


class _HostPool:
    """A house on the scene's database, open for a block; its organizer is made once."""

    def __init__(self, scene):
        self._scene = scene

    async def __aenter__(self):
        self._database = Database(self._scene.url, clock=SystemClock())
        await self._database.open()
        self._host = await _make(self._database, self._scene.folder)
        return self._host

    async def __aexit__(self, *_):
        await self._host.services.dispatcher.close()
        await self._database.close()


async def _make(database, folder):
    async with database.read() as session:
        known = await session.scalar(select(UserRow.id))
    if known is None:
        return await make_host(database, SystemClock(), folder, {"marker": TimerApp()})
    services = await make_services(database, SystemClock(), folder, {"marker": TimerApp()})
    return HostHarness(services, None)
