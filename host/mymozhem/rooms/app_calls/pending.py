"""Calls that wait for their app: stored as they were made, and repeated under the same id.

A timeout means unknown, not no: the app may have done the work. So the host repeats the same call
under the same id, and a late answer counts as well. If the room has changed, or the app's answer is
known and of no use, the stored call is discarded and the hook is called with a new id.
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

#: the app is known to have done nothing of use, so repeating the same call would fail again
NOT_REPEATED = frozenset({FailureKind.BAD_RESULT, FailureKind.REFUSED_CALL})

#: a secret: the host computes it again in each attempt, with the same value, and never stores it
_SEED = "seed"


@dataclass(frozen=True)
class PendingCallRef:
    """The row that waits for an answer; its call is stored while the app does not give one.

    `asked_before` is True if a call may be stored already. `not_stored` are fields of the request
    that the host computes again in each attempt, with the same values.
    """

    row_id: str
    asked_before: bool
    not_stored: tuple[str, ...] = ()


@dataclass(frozen=True)
class AppCall(Generic[Req, Res]):
    """A call to an app: a new one, or a stored one whose revision still holds.

    `kept` is the row of a stored call, None for a new one. `pending` is None if a caller waits for
    the answer; such a call is never stored.
    """

    hook: Hook[Req, Res]
    context: Context
    request: Req
    revision: str
    call_id: str
    pending: PendingCallRef | None = None
    attempt: int = 1
    kept: QueuedCallRow | None = None
    check: Check[Req, Res] | None = None

    async def answer(self, services: Services, budget: Budget) -> Outcome[Res]:
        """Return the late answer to a stored call, or call the app."""
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
            max_attempts=max(self.attempt, 1 + len(SOON)) if self.pending else 1,
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

    async def keep_or_discard(
        self, transaction: RoomTransaction, outcome: Outcome[Res]
    ) -> Outcome[Res]:
        """Store the call if it is to be repeated, else delete it; return the outcome that counts.

        That is another outcome if the call failed and its answer has come since.
        """
        if self.pending is None:
            return outcome
        row = None
        if self.pending.asked_before or _is_kept(outcome):
            row = await transaction.session.get(QueuedCallRow, self.pending.row_id)
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
        if keep and self.kept is None:  # a stored call that was deleted meanwhile stays deleted
            transaction.session.add(self._row(transaction, self.pending))
        return outcome

    def _row(self, transaction: RoomTransaction, pending: PendingCallRef) -> QueuedCallRow:
        return QueuedCallRow(
            id=pending.row_id,
            room_id=transaction.room.id,
            app_id=self.context.app.id,
            app_version=self.context.app.version,
            hook=self.hook.name,
            call_id=self.call_id,
            context=self.context.model_dump_json(by_alias=True, exclude={_SEED}),
            request=self.request.model_dump_json(by_alias=True, exclude=set(pending.not_stored)),
            revision=self.revision,
            attempts=self.attempt,
            created_at=transaction.now,
        )

    def _outcome(self, row: QueuedCallRow) -> Outcome[Res]:
        """Return the stored answer as an outcome; an invalid answer leaves the call queued."""
        try:
            answer = decode(self.hook, Reply((row.answer or "").encode(), row.refused))
            if isinstance(answer, Refusal):
                return Outcome(DecidedBy.APP, self.call_id, refusal=answer)
            if self.check is not None:
                self.check(self.request, answer)
        except (CallFailed, BadAnswer) as bad:
            return Outcome(DecidedBy.QUEUE, self.call_id, failure=_failure(bad))
        return Outcome(DecidedBy.APP, self.call_id, result=answer)


async def restore_pending(session: AsyncSession, new: AppCall[Req, Res]) -> AppCall[Req, Res]:
    """Return the stored call if its revision still holds, else `new`."""
    pending = new.pending
    if pending is None or not pending.asked_before:
        return new
    row = await session.get(QueuedCallRow, pending.row_id)
    if row is None or row.revision != new.revision:
        return new
    try:
        context = Context.model_validate_json(row.context)
        request = _restored_request(new, row.request, pending.not_stored)
    except ValidationError:  # stored by a host with other types than this one
        return new
    return replace(
        new,
        context=context.model_copy(update={_SEED: new.context.seed}),
        request=request,
        call_id=row.call_id,
        attempt=row.attempts + 1,
        kept=row,
    )


def new_app_call(
    hook: Hook[Req, Res],
    *,
    context: Context,
    request: Req,
    revision: object,
    pending: PendingCallRef | None = None,
    check: Check[Req, Res] | None = None,
) -> AppCall[Req, Res]:
    """Return a call with a new id.

    If it has `pending`, `revision` is JSON, or a dataclass of it.
    """
    fingerprint = revision_fingerprint(revision) if pending is not None else ""
    return AppCall(hook, context, request, fingerprint, new_id("call"), pending, check=check)


def revision_fingerprint(revision: object) -> str:
    """Return a revision as text that can be stored and compared; it is JSON, or a dataclass."""
    if is_dataclass(revision) and not isinstance(revision, type):
        revision = asdict(revision)
    return json.dumps(revision, sort_keys=True)


async def forget(session: AsyncSession, row_ids: Collection[str] | Select[str]) -> None:
    """Delete the calls of rows that are gone or settled; answers to them no longer count."""
    await _delete(session, QueuedCallRow.id.in_(row_ids))


async def forget_room(session: AsyncSession, room_id: str) -> None:
    """Delete all calls of a room, with the personal data in them.

    Rows that still wait make a new call at their next attempt.
    """
    await _delete(session, QueuedCallRow.room_id == room_id)


async def _delete(session: AsyncSession, which: ColumnElement[bool]) -> None:
    await session.execute(
        delete(QueuedCallRow).where(which).execution_options(synchronize_session=False)
    )


def _is_kept(outcome: Outcome[BaseModel]) -> bool:
    failure = outcome.failure
    queued = outcome.decided_by is DecidedBy.QUEUE and failure is not None
    return queued and failure is not None and failure.kind not in NOT_REPEATED


def _restored_request(new: AppCall[Req, Res], text: str, not_stored: Collection[str]) -> Req:
    if not not_stored:
        return new.hook.request.model_validate_json(text)
    document: JsonObject = orjson.loads(text)
    computed = {name: getattr(new.request, name) for name in not_stored}
    return new.hook.request.model_validate({**document, **computed})


def _failure(bad: CallFailed | BadAnswer) -> Failure:
    if isinstance(bad, CallFailed):
        return bad.failure
    return Failure(FailureKind.BAD_RESULT, bad.message, bad.code)
