"""Timers and changes that are due: the app is told, and its effects are applied once.

Effects and the deletion of the timer are one transaction, by (id, generation): a timer that was
replaced meanwhile is dropped, and a crash before the commit leaves it as it was.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from pydantic import BaseModel
from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    DecidedBy,
    Effects,
    Hook,
    RoomChangeRequest,
    TimerRequest,
    WindowStatus,
)
from mymozhem.contract.hooks import ON_ROOM_CHANGED, ON_TIMER
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import DECIDES, Budget
from mymozhem.errors import MymozhemError, NotFound, Unavailable
from mymozhem.rooms import backoff
from mymozhem.rooms.asking import Question, look_ask_write
from mymozhem.rooms.changes import change_of
from mymozhem.rooms.effects import apply_effects
from mymozhem.rooms.fallbacks import record_decision
from mymozhem.rooms.leases import Work
from mymozhem.rooms.queues import RoomBusy
from mymozhem.rooms.requests import Revision, build_context, revision
from mymozhem.rooms.seeds import hook_seed
from mymozhem.rooms.services import Services
from mymozhem.rooms.tables import RoomRow, TimerRow, TimerSpace
from mymozhem.rooms.windows.tables import WindowRow
from mymozhem.rooms.writer import ENDED, RoomWriter, write_room

logger = structlog.stdlib.get_logger(__name__)

Req = TypeVar("Req", bound=BaseModel)

Request = Callable[[AsyncSession, TimerRow], Awaitable[Req]]


class Dropped(Exception):
    """The timer is not to be fired any more: it was replaced or cancelled, or its room is over."""


async def fire(services: Services, work: Work) -> None:
    """Tell the app of a timer or a change that was taken; safe to repeat after a crash."""
    async with services.database.read() as session:
        timer = await session.get(TimerRow, work.row_id)
    if timer is None or timer.lease != work.lease:
        return
    if timer.space is TimerSpace.APP:
        await _Firing(services, work, ON_TIMER, _timer_request).run()
    else:
        await _Firing(services, work, ON_ROOM_CHANGED, _change_request).run()


async def retry_now(writer: RoomWriter) -> int:
    """Have everything of the room that waits for its app asked again now; return how much it is."""
    timers = await writer.session.scalars(
        update(TimerRow)
        .where(TimerRow.room_id == writer.room.id, TimerRow.attempts > 0)
        .values(next_at=writer.now)
        .returning(TimerRow.id)
        .execution_options(synchronize_session=False)
    )
    windows = await writer.session.scalars(
        update(WindowRow)
        .where(WindowRow.room_id == writer.room.id, _waits())
        .values(due_at=writer.now)
        .returning(WindowRow.id)
        .execution_options(synchronize_session=False)
    )
    writer.wake_jobs()
    return len(timers.all()) + len(windows.all())


async def waiting_calls(session: AsyncSession, room_id: str) -> int:
    """Return how much waits for the app to be back: timers, changes, windows; the room tallies."""
    timers = select(func.count()).where(TimerRow.room_id == room_id, TimerRow.attempts > 0)
    windows = select(func.count()).where(WindowRow.room_id == room_id, _waits())
    return (await session.scalar(timers) or 0) + (await session.scalar(windows) or 0)


def _waits() -> ColumnElement[bool]:
    return and_(WindowRow.status == WindowStatus.TALLYING, WindowRow.attempts > 0)


class _Firing(Generic[Req]):
    """One timer or change on its way: looked at, asked about, written."""

    def __init__(
        self, services: Services, work: Work, hook: Hook[Req, Effects], request: Request[Req]
    ) -> None:
        self._services = services
        self._work = work
        self._hook = hook
        self._request = request

    async def run(self) -> None:
        """Fire; on a failure the timer is kept and asked again, one that is over is dropped."""
        try:
            await look_ask_write(
                self._services,
                self._work.room_id,
                self._hook,
                look=self.look,
                again=self.again,
                write=self.write,
                budget=Budget(self._services.clock, self._services.settings.max_deadline_ms),
            )
        except (Dropped, NotFound):
            await self._drop()
        except RoomBusy:
            await self._fail(DecidedBy.QUEUE, RoomBusy.default_code, "The room was busy.")
        except Unavailable:
            raise  # the database is away, so nothing can be written down either
        except MymozhemError as error:
            await self._refuse(error)

    async def look(self, session: AsyncSession) -> Question[Req]:
        """See the timer, its room, and what the app needs to know."""
        timer = await session.get(TimerRow, self._work.row_id, populate_existing=True)
        room = await session.get(RoomRow, self._work.room_id)
        if timer is None or room is None or _is_over(timer, room, self._work):
            raise Dropped
        manifest = self._services.catalog.manifest(room.app_id, room.app_manifest_version)
        return Question(
            context=await build_context(
                session,
                self._services,
                room,
                manifest,
                hook=self._hook,
                name=timer.name if timer.space is TimerSpace.APP else None,
                now=self._services.clock.now(),
                due_at=timer.due_at,
                seed=hook_seed(self._services.keys, f"{timer.id}/{timer.generation}"),
            ),
            request=await self._request(session, timer),
            revision=await revision(session, room, None),
            depth=timer.depth,
        )

    async def again(self, writer: RoomWriter) -> Revision:
        """Read the revision under the room's lock."""
        return await revision(writer.session, writer.room, None)

    async def write(self, writer: RoomWriter, outcome: Outcome[Effects]) -> None:
        """Apply what the app answered, and the timer is gone; or write down that it did not."""
        timer = await _held(writer, self._work)
        if timer is None or _is_over(timer, writer.room, self._work):
            raise Dropped
        if outcome.result is not None:
            await apply_effects(writer, outcome.result.effects)
        elif outcome.decided_by is DecidedBy.QUEUE and outcome.failure is not None:
            _ask_again(writer, timer, self._hook, outcome.failure.code, outcome.failure.message)
            return
        _tell(writer, self._hook, outcome)
        await _delete(writer, self._work)

    async def _refuse(self, error: MymozhemError) -> None:
        """Settle effects that could not be applied, by the same strategy as any other failure."""
        manifest = self._services.catalog.manifest
        async with self._services.database.read() as session:
            room = await session.get(RoomRow, self._work.room_id)
        if room is None:
            await self._drop()
            return
        policy = manifest(room.app_id, room.app_manifest_version).policy(self._hook)
        await self._fail(DECIDES[policy.on_failure], error.code, error.message)

    async def _fail(self, by: DecidedBy, code: str, message: str) -> None:
        async with write_room(self._services, self._work.room_id) as writer:
            timer = await _held(writer, self._work)
            if timer is None:
                return
            if by is DecidedBy.QUEUE:
                _ask_again(writer, timer, self._hook, code, message)
                return
            record_decision(writer, self._hook, by, code, message)
            await _delete(writer, self._work)

    async def _drop(self) -> None:
        """Delete the timer where it is still the one that was taken; its room may be gone."""
        async with self._services.database.write() as unit:
            await unit.session.execute(
                delete(TimerRow).where(
                    TimerRow.id == self._work.row_id,
                    TimerRow.generation == self._work.generation,
                    TimerRow.lease == self._work.lease,
                )
            )


async def _timer_request(_: AsyncSession, timer: TimerRow) -> TimerRequest:
    return TimerRequest(name=timer.name, payload=timer.payload)


async def _change_request(session: AsyncSession, timer: TimerRow) -> RoomChangeRequest:
    return RoomChangeRequest(change=await change_of(session, timer))


async def _held(writer: RoomWriter, work: Work) -> TimerRow | None:
    """Return the timer, locked, while it is still the one that was taken."""
    return await writer.session.scalar(
        select(TimerRow)
        .where(
            TimerRow.id == work.row_id,
            TimerRow.generation == work.generation,
            TimerRow.lease == work.lease,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def _delete(writer: RoomWriter, work: Work) -> None:
    """Delete the timer; where its own effects have replaced it, the new one stays."""
    await writer.session.flush()
    await writer.session.execute(
        delete(TimerRow).where(TimerRow.id == work.row_id, TimerRow.generation == work.generation)
    )
    writer.wake_jobs()  # the next change of the room has waited for this one


def _is_over(timer: TimerRow, room: RoomRow, work: Work) -> bool:
    """Tell whether a timer is not to be fired; changes are told after the end, too."""
    if timer.generation != work.generation or room.deleted_at is not None:
        return True
    return timer.space is TimerSpace.APP and room.status in ENDED


def _ask_again(
    writer: RoomWriter, timer: TimerRow, hook: Hook[Req, Effects], code: str, message: str
) -> None:
    """Put the call off; organizers are told once, when it first fails."""
    if not timer.attempts:
        record_decision(writer, hook, DecidedBy.QUEUE, code, message)
    timer.attempts += 1
    timer.next_at = writer.now + timedelta(seconds=backoff.seconds(timer.attempts))
    timer.last_error = f"{code}: {message}"[:1000]
    timer.lease = timer.lease_until = None


def _tell(writer: RoomWriter, hook: Hook[Req, Effects], outcome: Outcome[Effects]) -> None:
    """Append that the app refused, or that something else decided; nothing where all is well."""
    said = outcome.refusal or outcome.failure
    if said is not None:
        record_decision(writer, hook, outcome.decided_by, said.code, said.message)
