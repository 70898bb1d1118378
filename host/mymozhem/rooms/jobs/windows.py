"""The job of a window: close it at its end, settle it with its app, reveal it when due.

Each step is one transaction, fenced by the lease, so that a window closes once and its app's result
takes effect once, whatever is killed in between.
"""

import asyncio

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    CloseReason,
    CloseWindowRequest,
    CloseWindowResult,
    DecidedBy,
    Judge,
    Results,
    Strategy,
    WindowStatus,
)
from mymozhem.contract.hooks import CLOSE_WINDOW
from mymozhem.dispatch.outcome import BadAnswer, FailureKind, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.errors import Conflict, MymozhemError, NotFound, Unavailable
from mymozhem.rooms.app_calls.exchange import Exchange, PreparedCall, run_exchange
from mymozhem.rooms.app_calls.fallbacks import record_decision, record_fallback
from mymozhem.rooms.app_calls.pending import PendingCallRef, forget
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.app_context_data import scores_of, submissions_of, window_view
from mymozhem.rooms.core.leased import Lease
from mymozhem.rooms.core.membership import room_not_found
from mymozhem.rooms.core.revision import Revision, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction, room_transaction
from mymozhem.rooms.effects import apply_effects
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.windows import judge
from mymozhem.rooms.windows.close import IN_FLIGHT, begin_settling, tell_app
from mymozhem.rooms.windows.lease import LeaseLost, record_first_failure, require_lease, reschedule
from mymozhem.rooms.windows.settle import record_closed, reveal, settle, settle_without_app

from .steps import hook_seed, is_unknown_here

#: what another process may need to commit what it received in time; one process knows its own
OTHERS_IN_FLIGHT = 0.1


async def step(services: Services, lease: Lease) -> None:
    """Take the next step of a leased window; safe to repeat after a crash."""
    try:
        await _step(services, lease)
    except LeaseLost:
        return
    except NotFound as gone:
        if is_unknown_here(gone):
            raise
        if gone.code == room_not_found().code:
            await _forget(services, lease)


async def _step(services: Services, lease: Lease) -> None:
    window = await _look(services, lease)
    if window.status == WindowStatus.OPEN:
        await _close(services, lease, window)
        window = await _look(services, lease)
    if window.status == WindowStatus.TALLYING:
        await _settle(services, lease, window)
    elif window.status == WindowStatus.CLOSED:
        await _reveal(services, lease)


async def _look(services: Services, lease: Lease) -> WindowRow:
    async with services.database.read() as session:
        window = await session.get(WindowRow, lease.row_id)
    if window is None or window.lease != lease.token:
        raise LeaseLost
    return window


async def _close(services: Services, lease: Lease, window: WindowRow) -> None:
    """Close a window at its end, after everything that arrived in time is counted."""
    await services.submissions.flush(lease.room_id, within=IN_FLIGHT)
    if services.database.dialect != "sqlite":
        await asyncio.sleep(OTHERS_IN_FLIGHT)
    async with room_transaction(services, lease.room_id) as transaction:
        window = await require_lease(transaction, lease)
        if window.due_at is None or window.due_at > transaction.now:
            window.lease = window.lease_until = None  # its end has moved meanwhile
            transaction.wake_jobs()
            return
        if window.status == WindowStatus.OPEN:
            until = window.lease_until
            begin_settling(transaction, window, window.close_reason or CloseReason.DEADLINE)
            window.lease, window.lease_until = lease.token, until


async def _forget(services: Services, lease: Lease) -> None:
    """Stop processing the window of a deleted room."""
    async with services.database.write(turn=lease.room_id) as unit:
        await unit.session.execute(
            update(WindowRow)
            .where(WindowRow.id == lease.row_id, WindowRow.lease == lease.token)
            .values(due_at=None, lease=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


async def _settle(services: Services, lease: Lease, window: WindowRow) -> None:
    if window.judge == Judge.APP:
        patience = Budget(services.clock, services.settings.max_deadline_ms)
        await judge.judge_waiting(services, window.id, budget=patience)
    settlement = _WindowSettlement(services, lease)
    budget = Budget(services.clock, services.settings.max_deadline_ms)
    is_retry = window.attempts > 0
    try:
        await run_exchange(services, lease.room_id, settlement, budget=budget, is_retry=is_retry)
    except (LeaseLost, NotFound, Unavailable):
        raise
    except RoomBusy:
        await _reschedule(services, lease, RoomBusy.default_code, "The room was busy.")
    except MymozhemError as error:
        await _settle_refused(services, lease, error)


class _WindowSettlement(Exchange[CloseWindowRequest, CloseWindowResult, Revision, None]):
    """The settlement of one window with its app."""

    hook = CLOSE_WINDOW

    def __init__(self, services: Services, lease: Lease) -> None:
        self._services = services
        self._lease = lease

    async def prepare(self, session: AsyncSession) -> PreparedCall[CloseWindowRequest, Revision]:
        """Read the window, its submissions and the scores; LeaseLost if it has another lease."""
        window = await session.get(WindowRow, self._lease.row_id)
        room = await session.get(RoomRow, self._lease.room_id)
        if window is None or room is None or window.lease != self._lease.token:
            raise LeaseLost
        manifest = self._services.catalog.manifest(room.app_id, room.app_manifest_version)
        return PreparedCall(
            context=await build_context(
                session,
                self._services,
                room,
                manifest,
                hook=CLOSE_WINDOW,
                now=self._services.clock.now(),
                due_at=window.closed_at,
                seed=hook_seed(self._services.keys, window.id),
            ),
            request=CloseWindowRequest(
                window=window_view(window),
                submissions=await submissions_of(session, {window.id: window.key}),
                scores=await scores_of(session, room.id),
            ),
            revision=await revision(session, room, None),
            depth=window.depth,
            pending=PendingCallRef(window.id, asked_before=window.attempts > 0),
        )

    async def current_revision(self, transaction: RoomTransaction) -> Revision:
        """Return the revision."""
        return await revision(transaction.session, transaction.room, None)

    async def apply(
        self, transaction: RoomTransaction, current: Revision, outcome: Outcome[CloseWindowResult]
    ) -> None:
        """Settle by the app's answer or the host's own verdicts, or reschedule the call."""
        del current
        window = await require_lease(transaction, self._lease, status=WindowStatus.TALLYING)
        failure = outcome.failure
        if outcome.decided_by is DecidedBy.QUEUE and failure is not None:
            if not window.attempts:
                record_fallback(transaction, CLOSE_WINDOW, outcome)
            parked = failure.kind is FailureKind.ACCEPTED
            reschedule(transaction, window, failure.code, failure.message, parked=parked)
            return
        result = outcome.result
        by = outcome.decided_by if result is not None else DecidedBy.PLATFORM
        await record_closed(transaction, window, by)
        record_fallback(transaction, CLOSE_WINDOW, outcome)
        if outcome.refusal is not None:
            no = outcome.refusal
            record_decision(
                transaction, CLOSE_WINDOW, by, no.code, no.message, call_id=outcome.call_id
            )
        if result is not None:
            transaction.held_back = window.id if window.results == Results.ON_REVEAL else None
            await apply_effects(transaction, result.effects)
            transaction.held_back = None
        await settle(transaction, window, result.verdicts if result is not None else None)
        tell_app(transaction, window, "closed" if result is not None else "settled")

    def check(self, request: CloseWindowRequest, result: CloseWindowResult) -> None:
        """Raise BadAnswer if a verdict is not of one counted submission."""
        if result.verdicts is None:
            return
        judged = set(result.verdicts.submission_id)
        unknown = judged - set(request.submissions.id)
        if unknown or len(judged) != len(result.verdicts.submission_id):
            message = "The verdicts name a submission twice, or one that was not counted."
            raise BadAnswer(FailureKind.BAD_RESULT, message)


async def _settle_refused(services: Services, lease: Lease, error: MymozhemError) -> None:
    """Settle what could not be applied; retry later if the host's verdicts fail as well."""
    try:
        await _refused(services, lease, error)
    except (LeaseLost, NotFound, Unavailable):
        raise
    except MymozhemError as worse:
        await _reschedule(services, lease, worse.code, worse.message, is_known=True)


async def _refused(services: Services, lease: Lease, error: MymozhemError) -> None:
    """Settle what could not be applied by the same strategy as any other failure.

    In a room that has ended, another call would give the same result, so the host decides.
    """
    async with room_transaction(services, lease.room_id) as transaction:
        window = await require_lease(transaction, lease, status=WindowStatus.TALLYING)
        queued = transaction.manifest.policy(CLOSE_WINDOW).on_failure is Strategy.QUEUE
        if queued and transaction.room.status not in ENDED:
            await forget(transaction.session, [window.id])  # what the app says is known, and no use
            record_first_failure(transaction, window, error.code, error.message)
            reschedule(transaction, window, error.code, error.message)
            return
        record_decision(transaction, CLOSE_WINDOW, DecidedBy.PLATFORM, error.code, error.message)
        await settle_without_app(transaction, window)


async def _reschedule(
    services: Services,
    lease: Lease,
    code: str,
    message: str,
    *,
    status: WindowStatus = WindowStatus.TALLYING,
    is_known: bool = False,
) -> None:
    async with room_transaction(services, lease.room_id) as transaction:
        window = await require_lease(transaction, lease, status=status)
        if is_known:
            await forget(transaction.session, [window.id])
        record_first_failure(transaction, window, code, message)
        reschedule(transaction, window, code, message)


async def _reveal(services: Services, lease: Lease) -> None:
    """Reveal due results; if their points cannot be given, notify organizers and retry later."""
    try:
        async with room_transaction(services, lease.room_id) as transaction:
            window = await require_lease(transaction, lease, status=WindowStatus.CLOSED)
            if window.due_at is None or window.due_at > transaction.now:
                raise LeaseLost
            await reveal(transaction, window)
            tell_app(transaction, window, "revealed")
    except Conflict as refused:
        status = WindowStatus.CLOSED
        await _reschedule(services, lease, refused.code, refused.message, status=status)
