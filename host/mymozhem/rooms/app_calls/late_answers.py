"""Late answers: one to a queued call counts, any other is only recorded."""

import asyncio
from contextlib import suppress
from enum import StrEnum
from typing import Literal

import structlog
from pydantic import BaseModel
from sqlalchemy import select

from mymozhem.contract import Hook, Refusal
from mymozhem.contract.events import LateAnswered
from mymozhem.contract.hooks import HOOKS
from mymozhem.dispatch.late_answers import LateAnswer
from mymozhem.dispatch.outcome import CallFailed
from mymozhem.dispatch.reply_codec import decode
from mymozhem.dispatch.transports.base import Reply
from mymozhem.errors import Invalid, NotFound, Unavailable
from mymozhem.rooms.core.call_listener import CallListener
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.tables.pending_calls import QueuedCallRow

from .retry import make_due

#: late answers that are taken at the same time
AT_ONCE = 64

#: seconds after which a callback is looked up again: it may be quicker than our own commit
PATIENCE = (0.05, 0.2, 0.5)

logger = structlog.stdlib.get_logger(__name__)

Said = Literal["answered", "refused", "failed"]

_HOOKS: dict[str, Hook[BaseModel, BaseModel]] = {hook.name: hook for hook in HOOKS}


class CallbackOutcome(StrEnum):
    """What happened to an answer."""

    COUNTS = "counts"  #: its call is queued, and the answer will be applied
    RECORDED = "recorded"  #: something else had decided; it stands in the room's log


class LateAnswers(CallListener):
    """Accepts late answers and callbacks.

    Before it is open, and beyond the limit, answers are dropped with a line in the log.
    """

    def __init__(self) -> None:
        super().__init__("late answers", limit=AT_ONCE)

    def late(self, answer: LateAnswer, /) -> None:
        """Take an answer that came too late."""
        services = self._services
        if services is None:
            logger.info("a late answer was dropped", app=answer.app_id, call_id=answer.call_id)
            return
        self._tasks.run(lambda: _take(services, answer), app=answer.app_id, call_id=answer.call_id)

    async def accept_callback(
        self, app_id: str, call_id: str, data: bytes, *, refused: bool = False
    ) -> CallbackOutcome:
        """Accept the answer to a call that its app had accepted; idempotent while it is queued.

        `data` is JSON of the hook's result, or of a `Refusal`. Raises Invalid if it is neither, and
        NotFound if no call of that app with that id waits for an answer, or none any more.
        """
        services = self._services
        if services is None:
            raise Unavailable
        reply = Reply(data, refused)
        for wait in (0.0, *PATIENCE):
            await asyncio.sleep(wait)
            outcome = await _take_callback(services, app_id, call_id, reply)
            if outcome is not None:
                return outcome
        message = "No call with this id waits for an answer, or not any more."
        raise NotFound(message, code="CALL_UNKNOWN")


async def _take_callback(
    services: Services, app_id: str, call_id: str, reply: Reply
) -> CallbackOutcome | None:
    await services.in_flight_calls.wait_finished(call_id)
    row = await _find(services, app_id, call_id)
    if row is not None:
        _require(_HOOKS[row.hook], reply)
        if not await _store(services, row, reply):
            return None
        # the same reply again is no late answer
        services.in_flight_calls.take_accepted(call_id, app_id=app_id)
        return CallbackOutcome.COUNTS
    accepted = services.in_flight_calls.take_accepted(call_id, app_id=app_id)
    if accepted is None:
        return None
    late_ms = (services.clock.monotonic() - accepted.at) * 1000
    event = LateAnswered(
        hook=accepted.hook,
        call_id=call_id,
        decided_by=accepted.decided_by,
        late_ms=round(late_ms),
        outcome=_said(accepted.hook, reply),
    )
    await _record(services, accepted.room_id, event)
    return CallbackOutcome.RECORDED


async def _take(services: Services, answer: LateAnswer) -> None:
    await services.in_flight_calls.wait_finished(answer.call_id)
    reply = Reply(answer.data, answer.refused) if answer.data is not None else None
    said = _said(answer.hook, reply)
    row = await _find(services, answer.app_id, answer.call_id)
    if row is not None:
        if reply is None or said == "failed":
            return  # it is asked again all the same
        if _has_a_say(services, answer) and await _store(services, row, reply):
            return
    event = LateAnswered(
        hook=answer.hook,
        call_id=answer.call_id,
        decided_by=answer.decided_by,
        late_ms=max(0, round(answer.late_ms)),
        outcome=said,
    )
    if answer.room_id is None:
        logger.info("a late answer", app=answer.app_id, **event.model_dump(mode="json"))
    else:
        await _record(services, answer.room_id, event)


def _has_a_say(services: Services, answer: LateAnswer) -> bool:
    """Return whether the app was neither stopped nor removed since the call."""
    apps = services.catalog
    served = apps.is_served(answer.app_id, answer.version)
    return served and not apps.is_stopped(answer.app_id)


async def _find(services: Services, app_id: str, call_id: str) -> QueuedCallRow | None:
    async with services.database.read() as session:
        return await session.scalar(
            select(QueuedCallRow).where(
                QueuedCallRow.call_id == call_id, QueuedCallRow.app_id == app_id
            )
        )


async def _store(services: Services, found: QueuedCallRow, reply: Reply) -> bool:
    """Store an answer with its call if that still waits for one, and make the call due."""
    try:
        async with room_transaction(services, found.room_id) as transaction:
            row = await transaction.session.get(QueuedCallRow, found.id)
            if row is None or row.call_id != found.call_id:
                return False
            if row.answer is None:
                row.answer, row.refused = reply.data.decode(), reply.refused
                row.answered_at = transaction.now
                await make_due(transaction, row.id)
            return True
    except NotFound:  # the room was deleted
        return False


async def _record(services: Services, room_id: str, event: LateAnswered) -> None:
    """Record in the room's log that an answer came; nothing for a deleted room."""
    with suppress(NotFound):
        async with room_transaction(services, room_id) as transaction:
            transaction.record(event)


def _said(hook: str, reply: Reply | None) -> Said:
    if reply is None:
        return "failed"
    try:
        answer = decode(_HOOKS[hook], reply)
    except CallFailed:
        return "failed"
    return "refused" if isinstance(answer, Refusal) else "answered"


def _require(hook: Hook[BaseModel, BaseModel], reply: Reply) -> None:
    try:
        decode(hook, reply)
    except CallFailed as bad:
        raise Invalid(bad.failure.message, code=bad.failure.code) from bad
