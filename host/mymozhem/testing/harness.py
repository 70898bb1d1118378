"""A small host for tests of apps: real services on a real database, with a held clock."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

from pydantic import JsonValue
from sqlalchemy import func, select

from mymozhem.auth.accounts import create_user
from mymozhem.auth.principal import Principal
from mymozhem.clock import HeldClock
from mymozhem.contract import JsonObject, PersonKind, RoomStatus
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.transports.base import Transport
from mymozhem.observability.call_observer import Observed
from mymozhem.registry.loaded_code import AppCode
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.lifecycle.create import NewRoom, create_room
from mymozhem.rooms.lifecycle.update import RoomChanges, change_room
from mymozhem.rooms.participants.add_people import NewPerson, add_people
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.prizes.manage import NewPrize, create_prize
from mymozhem.rooms.replay import Replayed, replay
from mymozhem.rooms.tables.events import RoomEventRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.views.snapshot import Snapshot, snapshot
from mymozhem.rooms.windows.submit import submit

from .web_server import Front


class _Lent:
    """A transport that its owner closes."""

    def __init__(self, transport: Transport) -> None:
        self.send = transport.send

    async def close(self) -> None:
        """Leave it open."""


@dataclass
class HostHarness:
    """Services and an organizer; `start` creates a room that guests can join."""

    services: Services
    organizer: Principal
    codes: Mapping[str, AppCode] = field(default_factory=dict)
    jobs: Jobs | None = None
    #: on a host that calls remote apps: the server in front of each of them, by the app's id
    fronts: Mapping[str, Front] = field(default_factory=dict)
    remote: Transport | None = None
    #: every call of every app, as it was over
    observed: Sequence[Observed] = ()

    @asynccontextmanager
    async def hurried(self, deadline_ms: int) -> AsyncIterator["HostHarness"]:
        """Yield the same host with an operator's limit for the deadline of calls."""
        services = self.services
        settings = services.settings.model_copy(update={"max_deadline_ms": deadline_ms})
        remote = _Lent(self.remote) if self.remote is not None else None
        dispatcher = Dispatcher(services.catalog, services.clock, settings, remote=remote)
        try:
            yield replace(self, services=replace(services, dispatcher=dispatcher))
        finally:
            await dispatcher.close()

    async def room(
        self, app_id: str, *, settings: JsonObject | None = None, **wishes: object
    ) -> RoomRow:
        """Make a room in DRAFT."""
        new = NewRoom(name="Evening", app_id=app_id, settings=settings or {}, **wishes)  # type: ignore[arg-type]  # as the caller knows
        return await create_room(self.services, self.organizer, new)

    async def start(
        self, app_id: str, *, settings: JsonObject | None = None, **wishes: object
    ) -> RoomRow:
        """Make a room and start it."""
        room = await self.room(app_id, settings=settings, **wishes)
        return await self.change(room.id, status=RoomStatus.ACTIVE)

    async def change(self, room_id: str, **changes: Any) -> RoomRow:  # noqa: ANN401  of many types
        """Change a room as its organizer: `status`, `settings` (a patch), `fields`."""
        wanted = RoomChanges(**changes)
        return await change_room(self.services, room_id, self.organizer, wanted)

    async def guest(
        self, room: RoomRow, name: str = "Ada", answers: JsonObject | None = None
    ) -> JoinResult:
        """Join a room as a guest."""
        return await join(self.services, room.code, None, name=name, answers=answers or {})

    async def guests(self, room: RoomRow, count: int) -> list[JoinResult]:
        """Join a room as several guests, one after the other."""
        return [await self.guest(room, f"Guest {number}") for number in range(1, count + 1)]

    async def add_person(self, room: RoomRow, name: str = "Ada") -> str:
        """Add somebody as an organizer does; the app is not asked. Return the participant's id."""
        (added,) = await add_people(self.services, room.id, self.organizer, (NewPerson(name),))
        return added

    async def prize(self, room: RoomRow, quantity: int = 1, name: str = "Bicycle") -> str:
        """Add a prize and return its id."""
        new = NewPrize(name=name, quantity=quantity)
        return (await create_prize(self.services, room.id, self.organizer, new)).id

    async def person(self, email: str, *, is_admin: bool = False) -> Principal:
        """Make an account."""
        async with self.services.database.write() as unit:
            user = await create_user(
                unit,
                email=email,
                name=email.partition("@")[0],
                password_hash="x",  # noqa: S106  nobody signs in here
                is_admin=is_admin,
            )
        return Principal(user.id, PersonKind.REGISTERED, None, "token")

    async def act(
        self,
        room: RoomRow,
        action: str,
        payload: JsonObject | None = None,
        *,
        by: JoinResult | None = None,
    ) -> JsonValue:
        """Do an action as somebody, or as the organizer; return the reply once all due is done.

        Raises the platform's errors; `Refused` with the app's message.
        """
        acted = await perform(self.services, room.id, self.who(by), action, payload or {})
        await self.settle()
        return acted.reply

    async def submit(
        self, room: RoomRow, window: str, payload: JsonValue, *, by: JoinResult
    ) -> AcceptedSubmission:
        """Submit to a window by its name."""
        accepted = await submit(self.services, room.id, self.who(by), window, payload)
        await self.settle()
        return accepted

    async def advance(self, seconds: float) -> None:
        """Advance the clock, and do what is due by then."""
        clock = self.services.clock
        if not isinstance(clock, HeldClock):
            raise TypeError("this host uses the machine's clock; open it with a `HeldClock`")
        clock.advance(timedelta(seconds=seconds))
        await self.settle()

    async def settle(self) -> None:
        """Do what is due: draws, timers, windows, notifications to the app."""
        if self.jobs is not None:
            await self.jobs.run_due()

    async def sees(self, room: RoomRow, who: JoinResult | None = None) -> Snapshot:
        """Return what somebody is shown of a room; None is the organizer."""
        async with self.services.database.read() as session:
            seat = await find_membership(session, room.id, self.who(who))
            return await snapshot(session, seat, now=self.services.clock.now())

    def who(self, joined: JoinResult | None) -> Principal:
        """Return somebody as a caller; None is the organizer."""
        return self.organizer if joined is None else principal(joined)

    async def events(self, room_id: str, *types: str) -> list[RoomEventRow]:
        """Return the events of a room in order, of the given types or all."""
        async with self.services.database.read() as session:
            query = select(RoomEventRow).where(RoomEventRow.room_id == room_id)
            if types:
                query = query.where(RoomEventRow.type.in_(types))
            return list((await session.scalars(query.order_by(RoomEventRow.seq))).all())

    async def replayed(self, room_id: str) -> Replayed:
        """Return the room replayed from its log; raises `LogBroken` if the log is not valid."""
        return replay(
            {"seq": row.seq, "stream": row.stream, "type": row.type, "payload": row.payload}
            for row in await self.events(room_id)
        )

    async def count(self, table: type, **where: object) -> int:
        """Count rows."""
        async with self.services.database.read() as session:
            query = select(func.count()).select_from(table).filter_by(**where)
            return cast("int", await session.scalar(query))


def principal(joined: JoinResult) -> Principal:
    """Return somebody who joined as a caller."""
    room_id = joined.room.id if joined.kind is PersonKind.GUEST else None
    return Principal(joined.user_id, joined.kind, room_id, "token")
