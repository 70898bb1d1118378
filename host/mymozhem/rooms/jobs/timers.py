"""Run due timers and changes: call the app, and apply its effects exactly once.

Effects and the deletion of the timer are one transaction, by (id, generation): a timer that was
replaced in the meantime is discarded, and a crash before the commit leaves it unchanged.
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
from mymozhem.rooms.app_calls.exchange import Exchange, PreparedCall, run_exchange
from mymozhem.rooms.app_calls.fallbacks import record_decision, record_fallback
from mymozhem.rooms.app_calls.pending import PendingCallRef, forget
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
    """The timer must not run any more: it was replaced or cancelled, or its room has ended."""


async def run_timer(services: Services, lease: Lease) -> None:
    """Call the app about a leased timer or change; safe to repeat after a crash."""
    async with services.database.read() as session:
        timer = await session.get(TimerRow, lease.row_id)
    if timer is None or timer.lease != lease.token:
        return
    if timer.space is TimerSpace.APP:
        due = _TimerRun(services, lease, ON_TIMER, _timer_request)
        await due.run(is_retry=timer.attempts > 0)
    else:
        change = _TimerRun(services, lease, ON_ROOM_CHANGED, _change_request)
        await change.run(is_retry=timer.attempts > 0)


class _TimerRun(Exchange[Req, Effects, Revision, None], Generic[Req]):
    """The run of one timer, or the notification of one change."""

    def __init__(
        self, services: Services, lease: Lease, hook: Hook[Req, Effects], request: Request[Req]
    ) -> None:
        self._services = services
        self._lease = lease
        self.hook = hook
        self._request = request

    async def run(self, *, is_retry: bool) -> None:
        """Call the app; reschedule the timer on a failure, and delete it if it is over."""
        services, room_id = self._services, self._lease.room_id
        budget = Budget(services.clock, services.settings.max_deadline_ms)
        try:
            await run_exchange(services, room_id, self, budget=budget, is_retry=is_retry)
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

    async def prepare(self, session: AsyncSession) -> PreparedCall[Req, Revision]:
        """Read the timer and its room; LeaseLost if the timer is not to run any more."""
        timer = await session.get(TimerRow, self._lease.row_id, populate_existing=True)
        room = await session.get(RoomRow, self._lease.room_id)
        if timer is None or room is None or _is_over(timer, room, self._lease):
            raise LeaseLost
        manifest = self._services.catalog.manifest(room.app_id, room.app_manifest_version)
        return PreparedCall(
            context=await build_context(
                session,
                self._services,
                room,
                manifest,
                hook=self.hook,
                name=timer.key if timer.space is TimerSpace.APP else None,
                now=self._services.clock.now(),
                due_at=timer.due_at,
                seed=hook_seed(self._services.keys, f"{timer.id}/{timer.generation}"),
            ),
            request=await self._request(session, timer),
            revision=await revision(session, room, None),
            depth=timer.depth,
            pending=PendingCallRef(timer.id, asked_before=timer.attempts > 0),
        )

    async def current_revision(self, transaction: RoomTransaction) -> Revision:
        """Return the revision."""
        return await revision(transaction.session, transaction.room, None)

    async def apply(
        self, transaction: RoomTransaction, current: Revision, outcome: Outcome[Effects]
    ) -> None:
        """Apply the app's effects and delete the timer, or reschedule it if the app failed."""
        del current
        timer = await _require_lease(transaction, self._lease)
        if timer is None or _is_over(timer, transaction.room, self._lease):
            raise LeaseLost
        if timer.space is TimerSpace.APP and not timer.attempts:
            self._services.timer_rates.note(self._lease.room_id, timer.due_at)
        if outcome.result is not None:
            await apply_effects(transaction, outcome.result.effects)
        elif outcome.decided_by is DecidedBy.QUEUE and outcome.failure is not None:
            failure = outcome.failure
            parked = failure.kind is FailureKind.ACCEPTED
            if not timer.attempts:
                record_fallback(transaction, self.hook, outcome)
            _reschedule(transaction, timer, failure.code, failure.message, parked=parked)
            return
        _tell(transaction, self.hook, outcome)
        await _delete(transaction, self._lease)

    async def _refuse(self, error: MymozhemError) -> None:
        """Settle effects that could not be applied, by the same strategy as any other failure."""
        manifest = self._services.catalog.manifest
        async with self._services.database.read() as session:
            room = await session.get(RoomRow, self._lease.room_id)
        if room is None:
            await self._drop()
            return
        policy = manifest(room.app_id, room.app_manifest_version).policy(self.hook)
        await self._fail(DECIDES[policy.on_failure], error.code, error.message, is_known=True)

    async def _fail(
        self, by: DecidedBy, code: str, message: str, *, is_known: bool = False
    ) -> None:
        """Retry the call, or discard it; `is_known` if the app's result is known."""
        async with room_transaction(self._services, self._lease.room_id) as transaction:
            timer = await _require_lease(transaction, self._lease)
            if timer is None:
                return
            if is_known:
                await forget(transaction.session, [timer.id])
            if by is not DecidedBy.QUEUE or not timer.attempts:
                record_decision(transaction, self.hook, by, code, message)
            if by is DecidedBy.QUEUE:
                _reschedule(transaction, timer, code, message)
            else:
                await _delete(transaction, self._lease)

    async def _drop(self) -> None:
        """Delete the timer if the lease is still valid; its room may be gone."""
        mine = (
            TimerRow.id == self._lease.row_id,
            TimerRow.generation == self._lease.generation,
            TimerRow.lease == self._lease.token,
        )
        async with self._services.database.write(turn=self._lease.room_id) as unit:
            await forget(unit.session, select(TimerRow.id).where(*mine))
            await unit.session.execute(delete(TimerRow).where(*mine))


async def _timer_request(_: AsyncSession, timer: TimerRow) -> TimerRequest:
    return TimerRequest(name=timer.key, payload=timer.payload)


async def _change_request(session: AsyncSession, timer: TimerRow) -> RoomChangeRequest:
    return RoomChangeRequest(change=await change_of(session, timer))


async def _require_lease(transaction: RoomTransaction, lease: Lease) -> TimerRow | None:
    """Return the timer, locked, if the lease is still valid."""
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
    """Delete the timer; if its own effects have replaced it, the new one stays."""
    await transaction.session.flush()
    await transaction.session.execute(
        delete(TimerRow).where(TimerRow.id == lease.row_id, TimerRow.generation == lease.generation)
    )
    transaction.wake_jobs()  # the next change of the room has waited for this one


def _is_over(timer: TimerRow, room: RoomRow, lease: Lease) -> bool:
    """Return whether a timer must not run; changes are reported after the end of a room, too."""
    if timer.generation != lease.generation or room.deleted_at is not None:
        return True
    return timer.space is TimerSpace.APP and room.status in ENDED


def _reschedule(
    transaction: RoomTransaction, timer: TimerRow, code: str, message: str, *, parked: bool = False
) -> None:
    """Retry the call later; organizers are notified of the first failure."""
    timer.attempts += 1
    wait = backoff.seconds(timer.attempts, parked=parked)
    timer.next_at = transaction.now + timedelta(seconds=wait)
    timer.last_error = f"{code}: {message}"[:1000]
    timer.lease = timer.lease_until = None


def _tell(
    transaction: RoomTransaction, hook: Hook[Req, Effects], outcome: Outcome[Effects]
) -> None:
    """Log that the app refused, or that something else decided; nothing on success."""
    said = outcome.refusal or outcome.failure
    if said is not None:
        by, call_id = outcome.decided_by, outcome.call_id
        record_decision(transaction, hook, by, said.code, said.message, call_id=call_id)
