"""Rooms whose app is told everything, by processes that are killed; what must hold then."""

import asyncio
import json
from collections import defaultdict
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import undefer

from mymozhem.auth.keys import Keys
from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.tables import AttemptRow, DeliveryRow
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.manifests.model import Manifest
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.remote_apps import Owner, register
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.events import RoomEventRow
from tests.faults import delivery_child
from tests.faults.delivery_child import settings_of
from tests.support.apps.delivery_app import APP, NEVER
from tests.support.forked_process import fork
from tests.support.host import HostHarness

ROOMS = 3


class DeliveryScene:
    """Rooms of a remote app; `acknowledged` is what their processes said they had committed."""

    def __init__(self, url, folder, app):
        self.url, self.folder, self.app = url, str(folder), app
        self.acknowledged, self.rooms = [], []

    async def set_up(self):
        settings, clock = settings_of(self.url, self.folder), SystemClock()
        database, keys = Database(self.url, clock=clock), Keys.load(settings)
        await database.open()
        manifest = Manifest.of(self.app.manifest(), registered_as=APP)
        async with database.write() as unit:
            await register(unit, keys, APP, manifest, owner=Owner(None, None))
        catalog = await Catalog.load(database, settings, keys)
        dispatcher = Dispatcher(catalog, clock, settings)
        services = Services(database, catalog, dispatcher, keys, clock, settings)
        host = HostHarness(services, None)
        host.organizer = await host.person("organizer@example.com")
        self.rooms = [(await host.start(APP)).id for _ in range(ROOMS)]
        await dispatcher.close()
        await database.close()

    async def run(self, *, processes, kill_after, steps):
        """Run processes; the first kills itself at a step, all are killed some seconds later.

        `kill_after` counts from when all are up.
        """
        children = [
            await self._start("write", 0 if number else steps) for number in range(processes)
        ]
        try:
            for child in children:
                await child.stdout.readline()
            with suppress(TimeoutError):
                async with asyncio.timeout(kill_after), asyncio.TaskGroup() as listening:
                    for child in children:
                        listening.create_task(self._listen(child))
        finally:
            for child in children:
                await self._kill(child)

    async def finish(self):
        """Run a process until every delivery is delivered or dead."""
        child = await self._start("finish", 0)
        await self._listen(child)
        assert await child.wait() == 0

    async def _start(self, mode, steps):
        return await fork(delivery_child.main, self.url, self.folder, steps, mode, self.rooms)

    async def _kill(self, child):
        """Kill a process that may be dead, and hear what it said before."""
        child.kill()
        await self._listen(child)
        await child.wait()

    async def _listen(self, child):
        while line := await child.stdout.readline():
            heard = json.loads(line)
            if "n" in heard:
                self.acknowledged.append((heard["room"], heard["by"], heard["n"]))

    async def rows(self, table, *options):
        database = Database(self.url, clock=SystemClock())
        await database.open()
        async with database.read() as session:
            found = list(await session.scalars(select(table).options(*options)))
        await database.close()
        return found

    async def check(self, *, finished=False):
        """Nothing is lost, nothing is told twice with effect, and every room is told in order."""
        deliveries = await self.rows(DeliveryRow, undefer(DeliveryRow.request))
        by_room = defaultdict(list)
        for row in sorted(deliveries, key=lambda row: row.position):
            by_room[row.room_id].append(row)
        await self._check_log(by_room)
        ids = {
            state: {row.id for row in deliveries if row.state == state}
            for state in ("delivered", "dead", "pending", "accepted")
        }
        accepted = {row.id for row in deliveries}
        assert sum(len(some) for some in ids.values()) == len(accepted)
        assert not finished or ids["delivered"] | ids["dead"] == accepted
        assert ids["delivered"] <= set(self.app.applied)
        assert len(set(self.app.applied)) == len(self.app.applied)
        assert ids["delivered"] | ids["dead"] <= set(self.app.calls) <= accepted
        self._check_order(by_room)
        never = {row.id for row in deliveries if _number(row) % NEVER == 0}
        assert ids["dead"] <= never or len(ids["dead"] - never) <= len(accepted) // 100
        await self._check_attempts(deliveries)
        return ids

    async def _check_log(self, by_room):
        """Show that each event of the log has its delivery, and each delivery its event."""
        events = defaultdict(list)
        for event in sorted(await self.rows(RoomEventRow), key=lambda event: event.seq):
            events[event.room_id].append((event.type, event.payload))
        told = {
            room: [(row.request["event"]["type"], row.request["event"]["payload"]) for row in rows]
            for room, rows in by_room.items()
        }
        assert told == events
        committed = {
            (room, payload["by"], payload["n"])
            for room, entries in events.items()
            for name, payload in entries
            if name == f"{APP}:said"
        }
        assert set(self.acknowledged) <= committed

    def _check_order(self, by_room):
        first_heard = {call_id: place for place, call_id in enumerate(self.app.bodies)}
        for rows in by_room.values():
            heard = [first_heard[row.id] for row in rows if row.id in first_heard]
            assert heard == sorted(heard)
            settled = [row.settled_at is not None for row in rows]
            assert settled == sorted(settled, reverse=True)

    async def _check_attempts(self, deliveries):
        attempts = defaultdict(list)
        for attempt in await self.rows(AttemptRow):
            attempts[attempt.delivery_id].append(attempt)
        for row in deliveries:
            tried = sorted(attempts[row.id], key=lambda attempt: attempt.number)
            assert [attempt.number for attempt in tried] == list(range(1, len(tried) + 1))
            assert self.app.calls[row.id] <= len(tried)
            if row.settled_at is not None:
                assert tried[-1].outcome == ("delivered" if row.state == "delivered" else "failed")
                assert row.attempts == len(tried)


def _number(row):
    return row.request["event"]["payload"].get("n", 1)
