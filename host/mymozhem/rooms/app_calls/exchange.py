"""One exchange with an app: prepare a call, make it, apply the answer in one transaction.

Nothing is locked while the app computes (optimistic locking). The answer is applied only if the
room still has the revision that the call was prepared from; otherwise the exchange is repeated with
a new call id, within its budget.
"""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Context
from mymozhem.contract.hooks import Hook
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.revision import StaleSnapshot
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.tables.rooms import RoomRow

from .pending import AppCall, PendingCallRef, new_app_call, restore_pending

#: how often, and after how many seconds, results are looked for that another process writes
TRIES, A_MOMENT = 50, 0.1

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)
Rev = TypeVar("Rev")
T = TypeVar("T")


@dataclass(frozen=True)
class PreparedCall(Generic[Req, Rev]):
    """A call to an app, and the revision that its answer will be computed from.

    `pending` is the row that waits for the answer if no caller does. Such a call is stored while
    the app does not answer, and is repeated under the same id.
    """

    context: Context
    request: Req
    revision: Rev
    actor_id: str | None = None
    depth: int = 0
    pending: PendingCallRef | None = None


class Exchange(ABC, Generic[Req, Res, Rev, T]):
    """What `run_exchange` calls, in this order: `prepare`, the app, `current_revision`, `apply`.

    All of it happens again if the room changed in between, so that a field that `prepare` sets
    always belongs to the answer that `apply` gets.
    """

    hook: Hook[Req, Res]

    @abstractmethod
    async def prepare(self, session: AsyncSession) -> PreparedCall[Req, Rev]:
        """Return the call to make; raises if it is not to be made at all.

        A StaleSnapshot that is raised here is not repeated: it means that the exchange itself was
        made from what no longer holds.
        """

    @abstractmethod
    async def current_revision(self, transaction: RoomTransaction) -> Rev:
        """Return the revision under the room's lock; `apply` runs if it equals the prepared one.

        It may carry rows that `apply` needs, in fields that are not compared.
        """

    @abstractmethod
    async def apply(self, transaction: RoomTransaction, current: Rev, outcome: Outcome[Res]) -> T:
        """Write what the app answered; `current` is what `current_revision` returned."""

    def check(self, request: Req, result: Res) -> None:
        """Raise BadAnswer if the result does not fit its request; by default any does."""
        del request, result


async def run_exchange(
    services: Services,
    room_id: str,
    exchange: Exchange[Req, Res, Rev, T],
    *,
    budget: Budget,
    is_retry: bool = False,
) -> T:
    """Call an app about a room and apply its answer; return what `apply` returns.

    Exchanges with the same room take turns, except an `is_retry`: its app has failed to answer
    before, and other callers do not wait for that. Raises RoomBusy if the budget ends before an
    answer still fits the room, and whatever the steps raise.
    """
    if is_retry:
        attempt = await _prepare(services, room_id, exchange, budget)
        with suppress(StaleSnapshot):
            return await attempt.run(budget)
    async with services.room_mutexes.hold(room_id, budget):
        while budget.left_ms() > 0:
            attempt = await _prepare(services, room_id, exchange, budget)
            with suppress(StaleSnapshot):
                return await attempt.run(budget)
    raise RoomBusy


@dataclass(frozen=True)
class _Attempt(Generic[Req, Res, Rev, T]):
    """One call that is prepared."""

    services: Services
    room_id: str
    exchange: Exchange[Req, Res, Rev, T]
    prepared: PreparedCall[Req, Rev]
    call: AppCall[Req, Res]

    async def run(self, budget: Budget) -> T:
        """Make the call and apply the answer; StaleSnapshot if the room changed meanwhile."""
        prepared = self.prepared
        with self.services.in_flight_calls.track(self.call.call_id):
            outcome = await self.call.answer(self.services, budget)
            async with room_transaction(
                self.services, self.room_id, actor_id=prepared.actor_id, depth=prepared.depth
            ) as transaction:
                current = await self.exchange.current_revision(transaction)
                if current != prepared.revision:
                    raise StaleSnapshot
                outcome = await self.call.keep_or_discard(transaction, outcome)
                return await self.exchange.apply(transaction, current, outcome)


async def _prepare(
    services: Services, room_id: str, exchange: Exchange[Req, Res, Rev, T], budget: Budget
) -> _Attempt[Req, Res, Rev, T]:
    """Prepare a call once all decided results are written: an app sees all points, or none."""
    for _ in range(TRIES):
        # Those that this process writes; of others it knows from the row of the room only.
        await services.results.flush(room_id, within=budget.left_ms() / 1000)
        attempt = await _prepare_now(services, room_id, exchange)
        if attempt is not None:
            return attempt
        services.wake.set()
        await asyncio.sleep(min(A_MOMENT, budget.left_ms() / 1000))
    raise RoomBusy


async def _prepare_now(
    services: Services, room_id: str, exchange: Exchange[Req, Res, Rev, T]
) -> _Attempt[Req, Res, Rev, T] | None:
    """Return the prepared call, or None if results of the room wait to be written."""
    async with services.database.read() as session:
        prepared = await exchange.prepare(session)
        room = await session.get(RoomRow, room_id)  # most exchanges have read it already
        if room is not None and room.results_pending:
            return None
        new = new_app_call(
            exchange.hook,
            context=prepared.context,
            request=prepared.request,
            revision=prepared.revision,
            pending=prepared.pending,
            check=exchange.check,
        )
        call = await restore_pending(session, new)
    return _Attempt(services, room_id, exchange, prepared, call)
