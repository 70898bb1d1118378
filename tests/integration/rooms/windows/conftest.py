"""A room of the desk app with three guests, a held clock, and jobs that run when they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mymozhem.clock import Clock, HeldClock
from mymozhem.contract import JsonObject
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.events import RoomEventRow, RoomStreamRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.scores import ScoreRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow
from tests.support.apps.window_app import WindowApp, do, send, submissions_of, window_of
from tests.support.host import HostHarness, make_host
from tests.support.timing import HANG_TIMEOUT


@dataclass
class WindowRoom:
    """A house with one room, and what is done in it over and over."""

    host: HostHarness
    app: WindowApp
    jobs: Jobs
    clock: HeldClock
    room: RoomRow
    guests: list[JoinResult] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The participants' ids of the guests."""
        return [guest.participant.id for guest in self.guests]

    async def do(self, *effects: JsonObject) -> None:
        """Have the app ask for effects."""
        await do(self.host, self.room, *effects)

    async def send(
        self, guest: int, payload: object, name: str = "w", **more: object
    ) -> AcceptedSubmission:
        """Submit as one of the guests."""
        return await send(self.host, self.room, self.guests[guest], payload, name, **more)

    async def window(self, name: str = "w") -> WindowRow:
        """Return a window as it is stored."""
        return await window_of(self.host, self.room, name)

    async def rows(self, name: str = "w") -> list[SubmissionRow]:
        """Return what was submitted to a window, in commit order."""
        return await submissions_of(self.host, await self.window(name))

    async def control(self, act: Callable[..., Awaitable[WindowRow]], **more: object) -> WindowRow:
        """Steer the window `w` (or `name`) as the organizer."""
        name = more.pop("name", "w")
        return await act(self.host.services, self.room.id, self.host.organizer, name, **more)

    async def crowd(self, count: int) -> list[JoinResult]:
        """Let many guests in, all at once."""
        names = (f"Phone {number}" for number in range(count))
        return await asyncio.gather(*(self.host.guest(self.room, name) for name in names))

    async def later(self, milliseconds: float) -> None:
        """Let time pass, and do what is due by then."""
        self.clock.advance(timedelta(milliseconds=milliseconds))
        await self.jobs.run_due()
        await self.host.services.results.flush(self.room.id, within=HANG_TIMEOUT)

    async def points(self) -> list[int]:
        """Return the guests' points, after a look at the sums that they are made of."""
        async with self.host.services.database.read() as session:
            found = await session.execute(
                select(ScoreRow.participant_id, func.sum(ScoreRow.points))
                .where(ScoreRow.sealed.is_(False))
                .group_by(ScoreRow.participant_id)
            )
            sums = {person: int(points) for person, points in found}
            people = [await session.get_one(ParticipantRow, person) for person in self.ids]
        assert [person.points for person in people] == [sums.get(person, 0) for person in self.ids]
        return [person.points for person in people]

    async def told(self, *types: str) -> list[str]:
        """Return the types of the room's events from the first window on, or the named ones."""
        events = await self.host.events(self.room.id, *types)
        return [event.type for event in events if types or event.type.startswith("window:")]

    async def check_log(self) -> Sequence[RoomEventRow]:
        """Return the log once it is shown to have no gap, as a whole and in each stream."""
        events = await self.host.events(self.room.id)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        async with self.host.services.database.read() as session:
            streams = await session.scalars(select(RoomStreamRow).filter_by(room_id=self.room.id))
            last = {row.stream: row.last_no for row in streams}
        for stream, number in last.items():
            numbers = [event.stream_no for event in events if event.stream == stream]
            assert numbers == list(range(1, number + 1)), stream
        return events


@pytest.fixture
def app() -> WindowApp:
    return WindowApp()


@pytest.fixture
async def host(
    database: Database, clock: Clock, tmp_path: Path, app: WindowApp
) -> AsyncIterator[HostHarness]:
    host = await make_host(database, clock, tmp_path, {"desk": app})
    yield host
    await host.services.dispatcher.close()


@pytest.fixture
async def window_room(host: HostHarness, app: WindowApp, clock: Clock) -> AsyncIterator[WindowRoom]:
    assert isinstance(clock, HeldClock)
    room = await host.start("desk")
    jobs = Jobs(host.services)
    yield WindowRoom(host, app, jobs, clock, room, await host.guests(room, 3))
    await jobs.stop()
