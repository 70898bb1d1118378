"""Perform an action of the room's app."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import ActionRequest, ActionResult, DecidedBy, JsonObject
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Unavailable
from mymozhem.rooms.app_calls.exchange import Exchange, PreparedCall, run_exchange
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.coordination.action_batches import ActionResponse
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.caller_reads import read_caller, read_caller_now
from mymozhem.rooms.core.event_log import cursor_of
from mymozhem.rooms.core.membership import MEMBERS, STAFF, Membership
from mymozhem.rooms.core.revision import Revision, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.effects import apply_effects, telling_plainly

from .batch import is_batched, perform_batched
from .checks import require_allowed

__all__ = ["ActionResponse", "perform", "require_allowed"]


async def perform(
    services: Services, room_id: str, caller: Principal, action: str, payload: JsonObject
) -> ActionResponse:
    """Perform an action of the room's app; its effects are applied all or none.

    Raises NotFound for an undeclared action, Forbidden for a role without permission, Conflict for
    a room status that does not allow it, Invalid if the payload breaks its schema, Refused with the
    app's refusal, RoomBusy, and Unavailable if the app did not answer. Calls of a `batch` action
    are combined with others that wait.
    """
    if await is_batched(services, room_id, caller, action, payload):
        return await perform_batched(services, room_id, caller, action, payload)
    performance = _Performance(services, room_id, caller, action, payload)
    budget = Budget(services.clock, services.settings.action_budget_ms)
    return await run_exchange(services, room_id, performance, budget=budget)


@dataclass(frozen=True)
class _CallerRevision:
    """The room's revision, and the caller's membership that it was read with."""

    room: Revision
    membership: Membership = field(compare=False)


class _Performance(Exchange[ActionRequest, ActionResult, _CallerRevision, ActionResponse]):
    """One action of one caller."""

    hook = HANDLE_ACTION

    def __init__(
        self,
        services: Services,
        room_id: str,
        caller: Principal,
        action: str,
        payload: JsonObject,
    ) -> None:
        self._services = services
        self._room_id = room_id
        self._caller = caller
        self._action = action
        self._payload = payload
        self._received_at: datetime = services.clock.now()

    async def prepare(self, session: AsyncSession) -> PreparedCall[ActionRequest, _CallerRevision]:
        """Check that the caller may do the action now."""
        membership = await read_caller(session, self._room_id, self._caller, roles=MEMBERS)
        manifest = self._services.catalog.manifest(
            membership.room.app_id, membership.room.app_manifest_version
        )
        require_allowed(manifest, membership, self._action, self._payload)
        return PreparedCall(
            context=await build_context(
                session,
                self._services,
                membership.room,
                manifest,
                hook=HANDLE_ACTION,
                name=self._action,
                now=self._services.clock.now(),
                membership=membership,
                received_at=self._received_at,
            ),
            request=ActionRequest(action=self._action, payload=self._payload),
            revision=await _revision(session, membership),
            actor_id=self._caller.user_id,
        )

    async def current_revision(self, transaction: RoomTransaction) -> _CallerRevision:
        """Return the revision, and who the caller is now."""
        membership = await read_caller_now(transaction, self._caller, roles=MEMBERS)
        return await _revision(transaction.session, membership)

    async def apply(
        self,
        transaction: RoomTransaction,
        current: _CallerRevision,
        outcome: Outcome[ActionResult],
    ) -> ActionResponse:
        """Apply the app's effects."""
        outcome.raise_if_refused()
        for_staff = current.membership.role in STAFF
        outcome.raise_if_failed(for_staff=for_staff)
        if outcome.result is None:
            message = "The app does not take actions."
            raise Unavailable(message, code="APP_NOT_IMPLEMENTED")
        if outcome.decided_by is not DecidedBy.APP:
            record_fallback(transaction, HANDLE_ACTION, outcome)
        with telling_plainly(for_staff=for_staff):
            reply = await apply_effects(transaction, outcome.result.effects)
        return ActionResponse(reply, await cursor_of(transaction, current.membership))


async def _revision(session: AsyncSession, membership: Membership) -> _CallerRevision:
    return _CallerRevision(await revision(session, membership.room, membership), membership)
