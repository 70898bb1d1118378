"""Batch actions: one call of the app answers several waiting calls, each applied on its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import (
    ActionAnswer,
    ActionCall,
    ActionRequest,
    ActionResult,
    DecidedBy,
    JsonObject,
)
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch.outcome import BadAnswer, FailureKind, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import MymozhemError, Refused, Unavailable
from mymozhem.idempotency.keys import current_claim, mark_claim_done
from mymozhem.rooms.app_calls.exchange import Exchange, PreparedCall, run_exchange
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.coordination.action_batches import (
    ActionBatch,
    ActionResponse,
    BatchedCall,
    LongestBudget,
)
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.app_context import actor_of, build_context
from mymozhem.rooms.core.event_log import cursor_of
from mymozhem.rooms.core.membership import MEMBERS, STAFF, Membership, require_role
from mymozhem.rooms.core.revision import Revision, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.effects import apply_effects, telling_plainly
from mymozhem.rooms.tables.rooms import RoomRow

from .checks import require_allowed


async def is_batched(
    services: Services, room_id: str, caller: Principal, action: str, payload: JsonObject
) -> bool:
    """Return whether calls of an action are batched; raise if this one is not possible now.

    Nothing is read for names that no app declares as `batch`.
    """
    if action not in services.catalog.batch_actions():
        return False
    async with services.database.read() as session:
        membership = await require_role(session, room_id, caller, roles=MEMBERS)
    manifest = services.catalog.manifest(
        membership.room.app_id, membership.room.app_manifest_version
    )
    require_allowed(manifest, membership, action, payload)
    return manifest.actions[action].batch


async def perform_batched(
    services: Services, room_id: str, caller: Principal, action: str, payload: JsonObject
) -> ActionResponse:
    """Perform a batch action together with others that wait. Raises: see `perform`.

    A result without `answers` holds for every call alike; so does a literal of the manifest.
    """
    call = BatchedCall(
        caller=caller,
        payload=payload,
        received_at=services.clock.now(),
        budget=Budget(services.clock, services.settings.action_budget_ms),
        claim=current_claim(),
    )
    process = partial(_process, services, room_id, action)
    return await services.action_batches.submit((room_id, action), call, process)


async def _process(
    services: Services, room_id: str, action: str, batch: ActionBatch
) -> dict[BatchedCall, ActionResponse | Exception]:
    exchange = _Batch(services, room_id, action, batch)
    budget = LongestBudget(services.clock, batch)
    return await run_exchange(services, room_id, exchange, budget=budget)


@dataclass(frozen=True)
class _BatchRevision:
    """The room's revision, and the role and status of each caller; None for one who has none.

    `memberships` are what these were read from, in the order of the calls.
    """

    room: Revision
    callers: tuple[tuple[str, str] | None, ...]
    memberships: Sequence[Membership | None] = field(compare=False)


class _Batch(
    Exchange[
        ActionRequest, ActionResult, _BatchRevision, dict[BatchedCall, ActionResponse | Exception]
    ]
):
    """Calls that are made together; their answers are applied one by one."""

    hook = HANDLE_ACTION

    def __init__(self, services: Services, room_id: str, action: str, batch: ActionBatch) -> None:
        self._services = services
        self._room_id = room_id
        self._action = action
        self._batch = batch

    async def prepare(self, session: AsyncSession) -> PreparedCall[ActionRequest, _BatchRevision]:
        """Take all calls that wait; refuse those that are not allowed any more."""
        memberships = await self._take_calls(session)
        if not memberships:
            raise RoomBusy
        room = memberships[0].room
        manifest = self._services.catalog.manifest(room.app_id, room.app_manifest_version)
        return PreparedCall(
            context=await build_context(
                session,
                self._services,
                room,
                manifest,
                hook=HANDLE_ACTION,
                name=self._action,
                now=self._services.clock.now(),
                received_at=self._batch[0].received_at,
            ),
            request=ActionRequest(
                action=self._action,
                calls=tuple(map(_call_of, self._batch, memberships)),
            ),
            revision=await _revision(session, room, memberships),
        )

    async def current_revision(self, transaction: RoomTransaction) -> _BatchRevision:
        """Return the revision, and who the callers are now."""
        memberships = [
            await self._find_membership(transaction.session, call) for call in self._batch
        ]
        return await _revision(transaction.session, transaction.room, memberships)

    async def apply(
        self,
        transaction: RoomTransaction,
        current: _BatchRevision,
        outcome: Outcome[ActionResult],
    ) -> dict[BatchedCall, ActionResponse | Exception]:
        """Apply the answers in order, each in a savepoint; return the response to each call."""
        outcome.raise_if_refused()
        outcome.raise_if_failed()
        if outcome.result is None:
            message = "The app does not take actions."
            raise Unavailable(message, code="APP_NOT_IMPLEMENTED")
        if outcome.decided_by is not DecidedBy.APP:
            record_fallback(transaction, HANDLE_ACTION, outcome)
        answers = self._answers(outcome.result)
        applied = list(zip(self._batch, current.memberships, answers, strict=True))
        for call in self._batch:
            call.fixed = self._batch.is_pending(call)
        return {each[0]: await _apply_one(transaction, *each) for each in applied}

    def check(self, request: ActionRequest, result: ActionResult) -> None:
        """Raise BadAnswer unless each call has its answer."""
        asked = len(request.calls or ())
        if result.answers is not None and len(result.answers) != asked:
            message = f"{asked} calls had {len(result.answers)} answers."
            raise BadAnswer(FailureKind.BAD_RESULT, message)

    def _answers(self, result: ActionResult) -> tuple[ActionAnswer, ...]:
        alike = ActionAnswer(effects=result.effects)
        return result.answers or (alike,) * len(self._batch)

    async def _take_calls(self, session: AsyncSession) -> list[Membership]:
        """Take all calls that wait; refuse calls that are late or no longer allowed."""
        memberships = []
        for call in self._batch.take_waiting():
            if not call.budget.left_ms():
                self._batch.settle(call, RoomBusy())
                continue
            try:
                membership = await require_role(session, self._room_id, call.caller, roles=MEMBERS)
                room = membership.room
                manifest = self._services.catalog.manifest(room.app_id, room.app_manifest_version)
                require_allowed(manifest, membership, self._action, call.payload)
            except MymozhemError as error:
                self._batch.settle(call, error)
            else:
                memberships.append(membership)
        return memberships

    async def _find_membership(self, session: AsyncSession, call: BatchedCall) -> Membership | None:
        try:
            return await require_role(session, self._room_id, call.caller, roles=MEMBERS)
        except MymozhemError:
            return None  # makes the revision stale, and `prepare` then refuses this call


async def _apply_one(
    transaction: RoomTransaction,
    call: BatchedCall,
    membership: Membership | None,
    answer: ActionAnswer,
) -> ActionResponse | Exception:
    if not call.fixed or membership is None:
        return RoomBusy()
    transaction.actor_id = call.caller.user_id
    try:
        async with transaction.apart():
            if answer.refuse is not None:
                no = answer.refuse
                raise Refused(no.message, code=no.code, details=no.details)
            with telling_plainly(for_staff=membership.role in STAFF):
                reply = await apply_effects(transaction, answer.effects)
            await mark_claim_done(transaction.session, call.claim)
            return ActionResponse(reply, await cursor_of(transaction, membership))
    except Unavailable:
        raise
    except MymozhemError as error:
        return error


def _call_of(call: BatchedCall, membership: Membership) -> ActionCall:
    actor = actor_of(membership)
    if actor is None:
        message = "somebody without a role got past the check of roles"
        raise RuntimeError(message)
    return ActionCall(actor=actor, payload=call.payload, received_at=call.received_at)


async def _revision(
    session: AsyncSession, room: RoomRow, memberships: Sequence[Membership | None]
) -> _BatchRevision:
    callers = tuple(map(_role_and_status, memberships))
    return _BatchRevision(await revision(session, room, None), callers, memberships)


def _role_and_status(membership: Membership | None) -> tuple[str, str] | None:
    if membership is None or membership.role is None:
        return None
    return membership.role, membership.participant.status if membership.participant else ""
