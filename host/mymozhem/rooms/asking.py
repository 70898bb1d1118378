"""Look, ask, write: how an app's answer becomes what happened, all or none.

Nothing is locked while the app thinks. What the answer was computed from is compared when it is to
be written; if that changed meanwhile the app is asked again, with a new call id, within the budget.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Context
from mymozhem.contract.hooks import Hook
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transport import AppTarget

from .queues import RoomBusy
from .services import Services
from .writer import RoomWriter, write_room

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True)
class Question(Generic[Req]):
    """What was seen, and what the app is asked about it.

    `revision` is compared with what `again` reads: equal means that the answer still fits.
    """

    context: Context
    request: Req
    revision: object
    actor_id: str | None = None
    depth: int = 0


Look = Callable[[AsyncSession], Awaitable[Question[Req]]]
Again = Callable[[RoomWriter], Awaitable[object]]
Write = Callable[[RoomWriter, Outcome[Res]], Awaitable[T]]


async def look_ask_write(
    services: Services,
    room_id: str,
    hook: Hook[Req, Res],
    *,
    look: Look[Req],
    again: Again,
    write: Write[Res, T],
    budget: Budget,
    check: Callable[[Req, Res], None] | None = None,
) -> T:
    """Ask an app about a room and write its answer; return what `write` returns.

    `look` sees a snapshot and may raise, `again` reads the revision under the room's lock, `check`
    raises `BadAnswer` for an answer that does not fit its request. RoomBusy when the budget ends
    before an answer still fits what it was computed from.
    """
    async with services.queues.turn(room_id, budget):
        while budget.left_ms() > 0:
            async with services.database.read() as session:
                question = await look(session)
            outcome = await services.dispatcher.call(
                hook,
                app=AppTarget(question.context.app.id, question.context.app.version),
                context=question.context,
                request=question.request,
                budget=budget,
                check=partial(check, question.request) if check else None,
            )
            async with write_room(
                services, room_id, actor_id=question.actor_id, depth=question.depth
            ) as writer:
                if await again(writer) == question.revision:
                    return await write(writer, outcome)
    raise RoomBusy
