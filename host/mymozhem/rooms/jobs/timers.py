"""Timers and changes that are due: the app is told, and its effects are applied once.

Effects and the deletion of the timer are one transaction, by (id, generation): a timer that was
replaced meanwhile is dropped, and a crash before the commit leaves it as it was.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

import structlog
from pydantic import BaseModel
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    DecidedBy,
    Effects,
    Hook,
    RoomChangeRequest,
    TimerRequest,
)
from mymozhem.contract.hooks import ON_ROOM_CHANGED, ON_TIMER
from mymozhem.dispatch.outcome import FailureKind, Outcome
from mymozhem.dispatch.policy import DECIDES, Budget
from mymozhem.errors import MymozhemError, NotFound, Unavailable
from mymozhem.rooms.app_calls import backoff
from mymozhem.rooms.app_calls.exchange import Question, look_ask_write
from mymozhem.rooms.app_calls.fallbacks import record_decision, record_fallback
from mymozhem.rooms.app_calls.pending import Waiter, forget
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.revision import Revision, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction, room_transaction
from mymozhem.rooms.effects import apply_effects
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.timers import TimerRow, TimerSpace

from .change_payload import change_of
from .steps import hook_seed, is_unknown_here

logger = structlog.stdlib.get_logger(__name__)

Req = TypeVar("Req", bound=BaseModel)

Request = Callable[[AsyncSession, TimerRow], Awaitable[Req]]


class LeaseLost(Exception):
    """The timer is not to be fired any more: it was replaced or cancelled, or its room is over."""


async def run_timer(services: Services, lease: Lease) -> None:
    """Tell the app of a timer or a change that was taken; safe to repeat after a crash."""
    async with services.database.read() as session:
        timer = await session.get(TimerRow, lease.row_id)
    if timer is None or timer.lease != lease.token:
        return
    if timer.space is TimerSpace.APP:
        firing = _TimerRun(services, lease, ON_TIMER, _timer_request)
        await firing.run(patient=timer.attempts > 0)
    else:
        change = _TimerRun(services, lease, ON_ROOM_CHANGED, _change_request)
        await change.run(patient=timer.attempts > 0)


class _TimerRun(Generic[Req]):
    """One timer or change on its way: looked at, asked about, written."""

    def __init__(
        self, services: Services, lease: Lease, hook: Hook[Req, Effects], request: Request[Req]
    ) -> None:
        self._services = services
        self._lease = lease
        self._hook = hook
        self._request = request

    async def run(self, *, patient: bool) -> None:
        """Fire; on a failure the timer is kept and asked again, one that is over is dropped.

        One that has failed before is `patient`: others do not wait for it.
        """
        try:
            await look_ask_write(
                self._services,
                self._lease.room_id,
                self._hook,
                look=self.look,
                again=self.again,
                write=self.write,
                budget=Budget(self._services.clock, self._services.settings.max_deadline_ms),
                patient=patient,
            )
        except LeaseLost:
            await self._drop()
        except NotFound as unknown:
            if is_unknown_here(unknown):
                raise
            await self._drop()
        except RoomBusy:
            await self._fail(DecidedBy.QUEUE, RoomBusy.default_code, "The room was busy.")
        except Unavailable:
            raise  # the database is away, so nothing can be written down either
        except MymozhemError as error:
            await self._refuse(error)

    async def look(self, session: AsyncSession) -> Question[Req]:
        """See the timer, its room, and what the app needs to know."""
        timer = await session.get(TimerRow, self._lease.row_id, populate_existing=True)
        room = await session.get(RoomRow, self._lease.room_id)
        if timer is None or room is None or _is_over(timer, room, self._lease):
            raise LeaseLost
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
            waiter=Waiter(timer.id, asked_before=timer.attempts > 0),
        )

    async def again(self, transaction: RoomTransaction) -> Revision:
        """Read the revision under the room's lock."""
        return await revision(transaction.session, transaction.room, None)

    async def write(self, transaction: RoomTransaction, outcome: Outcome[Effects]) -> None:
        """Apply what the app answered, and the timer is gone; or write down that it did not."""
        timer = await _require_lease(transaction, self._lease)
        if timer is None or _is_over(timer, transaction.room, self._lease):
            raise LeaseLost
        if outcome.result is not None:
            await apply_effects(transaction, outcome.result.effects)
        elif outcome.decided_by is DecidedBy.QUEUE and outcome.failure is not None:
            failure = outcome.failure
            parked = failure.kind is FailureKind.ACCEPTED
            if not timer.attempts:
                record_fallback(transaction, self._hook, outcome)
            _reschedule(transaction, timer, failure.code, failure.message, parked=parked)
            return
        _tell(transaction, self._hook, outcome)
        await _delete(transaction, self._lease)

    async def _refuse(self, error: MymozhemError) -> None:
        """Settle effects that could not be applied, by the same strategy as any other failure."""
        manifest = self._services.catalog.manifest
        async with self._services.database.read() as session:
            room = await session.get(RoomRow, self._lease.room_id)
        if room is None:
            await self._drop()
            return
        policy = manifest(room.app_id, room.app_manifest_version).policy(self._hook)
        await self._fail(DECIDES[policy.on_failure], error.code, error.message, afresh=True)

    async def _fail(self, by: DecidedBy, code: str, message: str, *, afresh: bool = False) -> None:
        """Have it asked again, or drop it; `afresh` where the app's answer is known already."""
        async with room_transaction(self._services, self._lease.room_id) as transaction:
            timer = await _require_lease(transaction, self._lease)
            if timer is None:
                return
            if afresh:
                await forget(transaction.session, [timer.id])
            if by is not DecidedBy.QUEUE or not timer.attempts:
                record_decision(transaction, self._hook, by, code, message)
            if by is DecidedBy.QUEUE:
                _reschedule(transaction, timer, code, message)
            else:
                await _delete(transaction, self._lease)

    async def _drop(self) -> None:
        """Delete the timer where it is still the one that was taken; its room may be gone."""
        mine = (
            TimerRow.id == self._lease.row_id,
            TimerRow.generation == self._lease.generation,
            TimerRow.lease == self._lease.token,
        )
        async with self._services.database.write() as unit:
            await forget(unit.session, select(TimerRow.id).where(*mine))
            await unit.session.execute(delete(TimerRow).where(*mine))


async def _timer_request(_: AsyncSession, timer: TimerRow) -> TimerRequest:
    return TimerRequest(name=timer.name, payload=timer.payload)


async def _change_request(session: AsyncSession, timer: TimerRow) -> RoomChangeRequest:
    return RoomChangeRequest(change=await change_of(session, timer))


async def _require_lease(transaction: RoomTransaction, lease: Lease) -> TimerRow | None:
    """Return the timer, locked, while it is still the one that was taken."""
    return await transaction.session.scalar(
        select(TimerRow)
        .where(
            TimerRow.id == lease.row_id,
            TimerRow.generation == lease.generation,
            TimerRow.lease == lease.token,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )


async def _delete(transaction: RoomTransaction, lease: Lease) -> None:
    """Delete the timer; where its own effects have replaced it, the new one stays."""
    await transaction.session.flush()
    await transaction.session.execute(
        delete(TimerRow).where(TimerRow.id == lease.row_id, TimerRow.generation == lease.generation)
    )
    transaction.wake_jobs()  # the next change of the room has waited for this one


def _is_over(timer: TimerRow, room: RoomRow, lease: Lease) -> bool:
    """Tell whether a timer is not to be fired; changes are told after the end, too."""
    if timer.generation != lease.generation or room.deleted_at is not None:
        return True
    return timer.space is TimerSpace.APP and room.status in ENDED


def _reschedule(
    transaction: RoomTransaction, timer: TimerRow, code: str, message: str, *, parked: bool = False
) -> None:
    """Have it asked again later; organizers are told when it first fails."""
    timer.attempts += 1
    wait = backoff.seconds(timer.attempts, parked=parked)
    timer.next_at = transaction.now + timedelta(seconds=wait)
    timer.last_error = f"{code}: {message}"[:1000]
    timer.lease = timer.lease_until = None


def _tell(
    transaction: RoomTransaction, hook: Hook[Req, Effects], outcome: Outcome[Effects]
) -> None:
    """Append that the app refused, or that something else decided; nothing where all is well."""
    said = outcome.refusal or outcome.failure
    if said is not None:
        by, call_id = outcome.decided_by, outcome.call_id
        record_decision(transaction, hook, by, said.code, said.message, call_id=call_id)
