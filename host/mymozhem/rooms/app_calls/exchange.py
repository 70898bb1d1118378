"""Look, ask, write: how an app's answer becomes what happened, all or none.

Nothing is locked while the app thinks. What the answer was computed from is compared when it is to
be written; if that changed meanwhile the app is asked again, with a new call id, within the budget.
"""

from collections.abc import Awaitable, Callable
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
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction

from .pending import Asked, Waiter, asked, recall

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Question(Generic[Req]):
    """What was seen, and what the app is asked about it.

    `revision` is compared with what `again` reads: equal means that the answer still fits.
    `waiter` is the row that waits for the answer where nobody else does; its call is kept while
    the app does not answer, and asked again as it was.
    """

    context: Context
    request: Req
    revision: object
    actor_id: str | None = None
    depth: int = 0
    waiter: Waiter | None = None


Look = Callable[[AsyncSession], Awaitable[Question[Req]]]
Again = Callable[[RoomTransaction], Awaitable[object]]
Write = Callable[[RoomTransaction, Outcome[Res]], Awaitable[T]]


class _MovedOn(Exception):
    """The room is not as it was when the app was asked; nothing was written."""


async def look_ask_write(  # noqa: PLR0913  the three steps, and what they are bound by
    services: Services,
    room_id: str,
    hook: Hook[Req, Res],
    *,
    look: Look[Req],
    again: Again,
    write: Write[Res, T],
    budget: Budget,
    check: Callable[[Req, Res], None] | None = None,
    patient: bool = False,
) -> T:
    """Ask an app about a room and write its answer; return what `write` returns.

    `look` sees a snapshot and may raise, `again` reads the revision under the room's lock, `check`
    raises `BadAnswer` for an answer that does not fit its request. A `patient` call waits for its
    app already: others do not wait for it as long as it gets no answer. RoomBusy when the budget
    ends before an answer still fits what it was computed from.
    """

    async def once() -> T:
        async with services.database.read() as session:
            question = await look(session)
            call = await recall(session, _call(hook, question, check))
        with services.in_flight_calls.track(call.call_id):
            outcome = await call.answer(services, budget)
            async with room_transaction(
                services, room_id, actor_id=question.actor_id, depth=question.depth
            ) as transaction:
                if await again(transaction) != question.revision:
                    raise _MovedOn
                return await write(transaction, await call.note(transaction, outcome))

    if patient:
        with suppress(_MovedOn):
            return await once()
    async with services.room_mutexes.hold(room_id, budget):
        while budget.left_ms() > 0:
            with suppress(_MovedOn):
                return await once()
    raise RoomBusy


def _call(
    hook: Hook[Req, Res], question: Question[Req], check: Callable[[Req, Res], None] | None
) -> Asked[Req, Res]:
    return asked(
        hook,
        context=question.context,
        request=question.request,
        revision=question.revision,
        waiter=question.waiter,
        check=check,
    )
