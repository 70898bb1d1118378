"""Calls that wait for their app: kept as they were asked, and asked again under the same id.

A timeout means unknown, not no: the app may have done it. So it is asked the same again, by the
same id, and an answer that came late is as good. Once the room has moved on, or the app's answer
is known and of no use, the call is forgotten and the hook asked afresh.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, is_dataclass, replace
from functools import partial
from typing import Generic, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, Select, delete
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Context, DecidedBy, Hook, JsonObject, Refusal
from mymozhem.db.base import new_id
from mymozhem.dispatch.outcome import BadAnswer, CallFailed, Failure, FailureKind, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.reply_codec import decode
from mymozhem.dispatch.transports.base import AppTarget, Reply
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.pending_calls import QueuedCallRow

from .backoff import SOON

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)
Check = Callable[[Req, Res], None]

#: the app is known to have done nothing of use, so the same question would bring the same
AFRESH = frozenset({FailureKind.BAD_RESULT, FailureKind.REFUSED_CALL})

#: is told anew in each attempt, always the same, and known to nobody else
_SEED = "seed"


@dataclass(frozen=True)
class Waiter:
    """The row that keeps a call while its app does not answer, and whether that has happened.

    `known` are fields of the request that the host tells anew in each attempt, always the same.
    """

    row_id: str
    asked_before: bool
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked(Generic[Req, Res]):
    """A question on its way: new, or one that was kept and still fits what it was computed from."""

    hook: Hook[Req, Res]
    context: Context
    request: Req
    revision: str
    call_id: str
    waiter: Waiter | None = None
    attempt: int = 1
    kept: QueuedCallRow | None = None
    check: Check[Req, Res] | None = None

    async def answer(self, services: Services, budget: Budget) -> Outcome[Res]:
        """Return the answer that came late, or ask the app."""
        if self.kept is not None and self.kept.answer is not None:
            return self._outcome(self.kept)
        app = AppTarget(self.context.app.id, self.context.app.version)
        outcome = await services.dispatcher.call(
            self.hook,
            app=app,
            context=self.context,
            request=self.request,
            budget=budget,
            call_id=self.call_id,
            check=partial(self.check, self.request) if self.check else None,
            attempt=self.attempt,
            max_attempts=max(self.attempt, 1 + len(SOON)) if self.waiter else 1,
        )
        if self.context.room is not None:
            services.in_flight_calls.note_accepted(
                outcome,
                app_id=app.app_id,
                hook=self.hook.name,
                room_id=self.context.room.id,
                at=services.clock.monotonic(),
            )
        return outcome

    async def note(self, transaction: RoomTransaction, outcome: Outcome[Res]) -> Outcome[Res]:
        """Keep the call where the app is to be asked again, else forget it; return what counts.

        That is another outcome where an answer to a call that failed came meanwhile.
        """
        if self.waiter is None:
            return outcome
        row = None
        if self.waiter.asked_before or _is_kept(outcome):
            row = await transaction.session.get(QueuedCallRow, self.waiter.row_id)
        same = row is not None and row.call_id == self.call_id
        if row is not None and same and row.answer and outcome.failure is not None:
            outcome = self._outcome(row)
        keep = _is_kept(outcome)
        if row is not None and same and keep:
            row.attempts = self.attempt
            return outcome
        if row is not None:
            await transaction.session.delete(row)
            await transaction.session.flush()
        if keep and self.kept is None:  # who has forgotten a kept one meanwhile had a reason
            transaction.session.add(self._row(transaction, self.waiter))
        return outcome

    def _row(self, transaction: RoomTransaction, waiter: Waiter) -> QueuedCallRow:
        return QueuedCallRow(
            id=waiter.row_id,
            room_id=transaction.room.id,
            app_id=self.context.app.id,
            app_version=self.context.app.version,
            hook=self.hook.name,
            call_id=self.call_id,
            context=self.context.model_dump_json(by_alias=True, exclude={_SEED}),
            request=self.request.model_dump_json(by_alias=True, exclude=set(waiter.known)),
            revision=self.revision,
            attempts=self.attempt,
            created_at=transaction.now,
        )

    def _outcome(self, row: QueuedCallRow) -> Outcome[Res]:
        """Return a stored answer as the app's; one that does not hold leaves the call queued."""
        try:
            answer = decode(self.hook, Reply((row.answer or "").encode(), row.refused))
            if isinstance(answer, Refusal):
                return Outcome(DecidedBy.APP, self.call_id, refusal=answer)
            if self.check is not None:
                self.check(self.request, answer)
        except (CallFailed, BadAnswer) as bad:
            return Outcome(DecidedBy.QUEUE, self.call_id, failure=_failure(bad))
        return Outcome(DecidedBy.APP, self.call_id, result=answer)


async def recall(session: AsyncSession, new: Asked[Req, Res]) -> Asked[Req, Res]:
    """Return the question as it was asked before, where that still holds; else as it is now."""
    waiter = new.waiter
    if waiter is None or not waiter.asked_before:
        return new
    row = await session.get(QueuedCallRow, waiter.row_id)
    if row is None or row.revision != new.revision:
        return new
    try:
        context = Context.model_validate_json(row.context)
        request = _thawed(new, row.request, waiter.known)
    except ValidationError:  # kept by a host with other types than this one
        return new
    return replace(
        new,
        context=context.model_copy(update={_SEED: new.context.seed}),
        request=request,
        call_id=row.call_id,
        attempt=row.attempts + 1,
        kept=row,
    )


def asked(
    hook: Hook[Req, Res],
    *,
    context: Context,
    request: Req,
    revision: object,
    waiter: Waiter | None = None,
    check: Check[Req, Res] | None = None,
) -> Asked[Req, Res]:
    """Return a new question; `revision` is JSON, or a dataclass of it."""
    stamp = stamped(revision) if waiter is not None else ""
    return Asked(hook, context, request, stamp, new_id("call"), waiter, check=check)


def stamped(revision: object) -> str:
    """Write down what an answer is computed from, so that it can be compared later."""
    if is_dataclass(revision) and not isinstance(revision, type):
        revision = asdict(revision)
    return json.dumps(revision, sort_keys=True)


async def forget(session: AsyncSession, row_ids: Collection[str] | Select[str]) -> None:
    """Forget the calls of rows that are gone or settled; answers to them no longer count."""
    await _delete(session, QueuedCallRow.id.in_(row_ids))


async def forget_room(session: AsyncSession, room_id: str) -> None:
    """Forget all calls of a room, with what they show of people; what still waits asks afresh."""
    await _delete(session, QueuedCallRow.room_id == room_id)


async def _delete(session: AsyncSession, which: ColumnElement[bool]) -> None:
    await session.execute(
        delete(QueuedCallRow).where(which).execution_options(synchronize_session=False)
    )


def _is_kept(outcome: Outcome[BaseModel]) -> bool:
    failure = outcome.failure
    queued = outcome.decided_by is DecidedBy.QUEUE and failure is not None
    return queued and failure is not None and failure.kind not in AFRESH


def _thawed(new: Asked[Req, Res], text: str, known: Collection[str]) -> Req:
    if not known:
        return new.hook.request.model_validate_json(text)
    document: JsonObject = orjson.loads(text)
    told = {name: getattr(new.request, name) for name in known}
    return new.hook.request.model_validate({**document, **told})


def _failure(bad: CallFailed | BadAnswer) -> Failure:
    if isinstance(bad, CallFailed):
        return bad.failure
    return Failure(FailureKind.BAD_RESULT, bad.message, bad.code)
