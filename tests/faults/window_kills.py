"""An event full of windows, on which one host after the other is killed; what must hold then."""

import asyncio
import json
import time
from collections import Counter
from contextlib import asynccontextmanager

from sqlalchemy import select

from mymozhem.auth.tables import UserRow
from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.tables.events import RoomEventRow, RoomStreamRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.results import ResultPartRow
from mymozhem.rooms.tables.scores import ScoreRow
from mymozhem.rooms.tables.windows import HeartbeatRow, SubmissionRow, WindowRow
from mymozhem.rooms.windows.results import write_pending
from tests.faults import window_child
from tests.faults.kills import end_leases
from tests.support.apps.slow_window_app import ACCEPTS, POINTS, RULES, SlowWindowApp
from tests.support.forked_process import fork
from tests.support.host import HostHarness, make_host, make_services

PHONES = 8

#: ways of counting, judging and showing, each a window in every round
KINDS = {
    "rules": {"judge": "rules", "rules": RULES, "points": POINTS, "submissions": "many"},
    "app": {"judge": "app", "submissions": "many", "results": "onReveal"},
    "latest": {"judge": "close", "rules": RULES, "points": POINTS, "submissions": "latest"},
}


class WindowScene:
    """An event in a database of its own; `acknowledged` is what phones were told, by key."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.acknowledged = {}

    async def set_up(self):
        async with self.host() as host:
            room = await host.start("asker")
            await host.guests(room, PHONES)
            self.room_id, self.organizer = room.id, host.organizer

    async def open(self, name, **wishes):
        effect = {"effect": "openWindow", "id": name, "accepts": ACCEPTS, **wishes}
        async with self.host() as host:
            await perform(host.services, self.room_id, self.organizer, "do", {"effects": [effect]})

    async def open_all(self, number, *, lasting_ms):
        for kind, wishes in KINDS.items():
            await self.open(f"{kind}{number}", durationMs=lasting_ms, **wishes)

    @asynccontextmanager
    async def host(self):
        database = Database(self.url, clock=SystemClock())
        await database.open()
        async with database.read() as session:
            known = await session.scalar(select(UserRow.id))
        apps = (SystemClock(), self.folder, {"asker": SlowWindowApp()})
        if known is None:
            host = await make_host(database, *apps)
        else:
            host = HostHarness(await make_services(database, *apps), None)
            await self._write_results(host.services)
        yield host
        await host.services.dispatcher.close()
        await database.close()

    async def _write_results(self, services):
        """Write what a killed host has left, as jobs do; until then no app is asked."""
        async with services.database.read() as session:
            left = (await session.scalars(select(ResultPartRow.window_id).distinct())).all()
        for window_id in left:
            await write_pending(services, self.room_id, window_id)

    async def run(self, *, kill_after, steps=0):
        """Run a host with phones and kill it so many seconds after it is up, or at a step.

        Return what was left of the open windows when it was up, and the moment of its death.
        """
        child = await self._start(steps, "answer")
        ready = json.loads(await child.stdout.readline() or "{}")
        try:
            async with asyncio.timeout(kill_after):
                await self._listen(child)
        except TimeoutError:
            child.kill()
        died = time.time()
        await self._listen(child)
        await child.wait()
        return ready.get("left", {}), died

    async def age(self, span):
        """Pretend that the host was down for a span: move all stored times back by it."""
        database = Database(self.url, clock=SystemClock())
        await database.open()
        async with database.write() as unit:
            for row in (*await unit.session.scalars(select(WindowRow)),):
                row.opens_at -= span
                row.checked_at -= span
                row.closes_at -= span
                row.due_at = row.closes_at
            for row in (*await unit.session.scalars(select(HeartbeatRow)),):
                row.at -= span
        await database.close()

    async def finish(self):
        """Run a host until every window is settled and revealed."""
        child = await self._start(0, "finish")
        await self._listen(child)
        assert await child.wait() == 0

    async def _listen(self, child):
        while line := await child.stdout.readline():
            assert line.startswith(b"{"), line
            heard = json.loads(line)
            if "id" in heard:
                key = (heard["window"], heard["person"], heard["key"])
                # a repeated request is told what the first one was
                assert self.acknowledged.setdefault(key, heard["id"]) == heard["id"]

    async def _start(self, steps, mode):
        await end_leases(self.url)
        return await fork(window_child.main, self.url, str(self.folder), steps, mode)

    async def rows(self, table):
        database = Database(self.url, clock=SystemClock())
        await database.open()
        async with database.read() as session:
            found = list(await session.scalars(select(table)))
        await database.close()
        return found

    async def check(self):
        """Nothing acknowledged is lost or doubled, every window ended once, and all adds up."""
        windows = {row.id: row for row in await self.rows(WindowRow)}
        submissions = await self.rows(SubmissionRow)
        events = await self.check_log()
        check_windows(windows.values(), submissions, events)
        stored = {
            (windows[row.window_id].key, row.participant_id, row.key): row.id for row in submissions
        }
        assert len(stored) == len(submissions)
        assert self.acknowledged.items() <= stored.items()
        await self.check_points(submissions)

    async def check_log(self):
        events = sorted(await self.rows(RoomEventRow), key=lambda event: event.seq)
        gapless(events, await self.rows(RoomStreamRow))
        return events

    async def check_points(self, submissions):
        given, wanted = Counter(), Counter()
        for score in await self.rows(ScoreRow):
            assert not score.sealed
            given[score.participant_id] += score.points
        for row in submissions:
            right = row.counts and row.payload["n"] % 2 == 0
            assert row.verdict == ("right" if right else "wrong") or not row.counts
            assert row.credited == (POINTS if right else 0)
            wanted[row.participant_id] += row.credited
            wanted[row.participant_id] += first_that_counts(row, submissions)
        people = [row for row in await self.rows(ParticipantRow) if row.role == "PARTICIPANT"]
        for person in people:
            assert person.points == given[person.id] == wanted[person.id]


def gapless(events, streams):
    """Show that a log has no gap, as a whole and in each of its streams."""
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for stream in streams:
        numbers = [event.stream_no for event in events if event.stream == stream.stream]
        assert numbers == list(range(1, stream.last_no + 1)), stream.stream


def first_that_counts(row, submissions):
    """Return the point that the app gives to whoever stands first in what it was asked."""
    same = [each for each in submissions if each.window_id == row.window_id and each.counts]
    return int(min(same, key=lambda each: each.ordinal).id == row.id)


def check_windows(windows, submissions, events):
    """Each window was opened, closed, settled and revealed once, with what counted in it."""
    for window in windows:
        mine = sorted(
            (row for row in submissions if row.window_id == window.id), key=lambda row: row.ordinal
        )
        counted = [row.id for row in mine if row.counts]
        assert [row.ordinal for row in mine] == list(range(1, len(mine) + 1))
        assert all(row.received_at < window.closes_at for row in mine)
        assert window.answered == len({row.participant_id for row in mine})
        said = Counter(
            event.type
            for event in events
            if window.key in (event.payload.get("windowId"), event.payload.get("window"))
            and event.type not in ("scores:changed", "window:changed")
        )
        held = window.results == "onReveal"
        assert said == Counter(
            ["window:opened", "window:tallying", "window:closed", "asker:settled"]
            + ["window:revealed"] * held
        )
        (closed,) = [
            event
            for event in events
            if event.type == "window:closed" and event.payload["windowId"] == window.key
        ]
        assert (closed.payload["reason"], closed.payload["counted"]) == ("deadline", len(counted))
        (told,) = [
            event.payload["ids"]
            for event in events
            if event.type == "asker:settled" and event.payload["window"] == window.key
        ]
        assert told == counted
