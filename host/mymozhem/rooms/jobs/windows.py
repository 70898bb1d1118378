"""The job of a window: closed at its end, settled with its app, revealed when its time has come.

Each step is one transaction, fenced by the lease, so that a window closes once and its app's answer
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
from mymozhem.rooms.app_calls.exchange import Question, look_ask_write
from mymozhem.rooms.app_calls.fallbacks import record_decision, record_fallback
from mymozhem.rooms.app_calls.pending import Waiter, forget
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.app_context import build_context
from mymozhem.rooms.core.app_context_data import scores_of, submissions_of, window_view
from mymozhem.rooms.core.leased import Work
from mymozhem.rooms.core.membership import room_not_found
from mymozhem.rooms.core.revision import Revision, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomWriter, write_room
from mymozhem.rooms.effects import apply_effects
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.windows import judge
from mymozhem.rooms.windows.close import IN_FLIGHT, begin_tally, tell_app
from mymozhem.rooms.windows.lease import Dropped, held, put_off, tell_queued
from mymozhem.rooms.windows.settle import record_closed, reveal, settle, settle_without_app

from .steps import hook_seed, is_unheard

#: what another process may need to commit what it received in time; one process knows its own
OTHERS_IN_FLIGHT = 0.1


async def step(services: Services, work: Work) -> None:
    """Move a window on that was taken; safe to repeat after a crash."""
    try:
        await _step(services, work)
    except Dropped:
        return
    except NotFound as gone:
        if is_unheard(gone):
            raise
        if gone.code == room_not_found().code:
            await _forget(services, work)


async def _step(services: Services, work: Work) -> None:
    window = await _look(services, work)
    if window.status == WindowStatus.OPEN:
        await _close(services, work, window)
        window = await _look(services, work)
    if window.status == WindowStatus.TALLYING:
        await _settle(services, work, window)
    elif window.status == WindowStatus.CLOSED:
        await _reveal(services, work)


async def _look(services: Services, work: Work) -> WindowRow:
    async with services.database.read() as session:
        window = await session.get(WindowRow, work.row_id)
    if window is None or window.lease != work.lease:
        raise Dropped
    return window


async def _close(services: Services, work: Work, window: WindowRow) -> None:
    """Close a window at its end, once what arrived in time is counted."""
    await services.submissions.flush(work.room_id, within=IN_FLIGHT)
    if services.database.dialect != "sqlite":
        await asyncio.sleep(OTHERS_IN_FLIGHT)
    async with write_room(services, work.room_id) as writer:
        window = await held(writer, work)
        if window.due_at is None or window.due_at > writer.now:
            window.lease = window.lease_until = None  # its end has moved meanwhile
            writer.wake_jobs()
            return
        if window.status == WindowStatus.OPEN:
            until = window.lease_until
            begin_tally(writer, window, window.close_reason or CloseReason.DEADLINE)
            window.lease, window.lease_until = work.lease, until


async def _forget(services: Services, work: Work) -> None:
    """Leave the window of a deleted room alone for good."""
    async with services.database.write() as unit:
        await unit.session.execute(
            update(WindowRow)
            .where(WindowRow.id == work.row_id, WindowRow.lease == work.lease)
            .values(due_at=None, lease=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )


async def _settle(services: Services, work: Work, window: WindowRow) -> None:
    if window.judge == Judge.APP:
        patience = Budget(services.clock, services.settings.max_deadline_ms)
        await judge.judge_waiting(services, window.id, budget=patience)
    tally = _Tally(services, work)
    try:
        await look_ask_write(
            services,
            work.room_id,
            CLOSE_WINDOW,
            look=tally.look,
            again=tally.again,
            write=tally.write,
            budget=Budget(services.clock, services.settings.max_deadline_ms),
            check=_check,
            patient=window.attempts > 0,
        )
    except (Dropped, NotFound, Unavailable):
        raise
    except RoomBusy:
        await _put_off(services, work, RoomBusy.default_code, "The room was busy.")
    except MymozhemError as error:
        await _settle_refused(services, work, error)


class _Tally:
    """One window on its way: looked at, asked about, settled."""

    def __init__(self, services: Services, work: Work) -> None:
        self._services = services
        self._work = work

    async def look(self, session: AsyncSession) -> Question[CloseWindowRequest]:
        """See the window, what was counted in it, and what the app needs to know."""
        window = await session.get(WindowRow, self._work.row_id)
        room = await session.get(RoomRow, self._work.room_id)
        if window is None or room is None or window.lease != self._work.lease:
            raise Dropped
        manifest = self._services.catalog.manifest(room.app_id, room.app_manifest_version)
        return Question(
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
                submissions=await submissions_of(session, {window.id: window.name}),
                scores=await scores_of(session, room.id),
            ),
            revision=await revision(session, room, None),
            depth=window.depth,
            waiter=Waiter(window.id, asked_before=window.attempts > 0),
        )

    async def again(self, writer: RoomWriter) -> Revision:
        """Read the revision under the room's lock."""
        return await revision(writer.session, writer.room, None)

    async def write(self, writer: RoomWriter, outcome: Outcome[CloseWindowResult]) -> None:
        """Settle by what the app answered, or by the host's own verdicts; or ask again later."""
        window = await held(writer, self._work, status=WindowStatus.TALLYING)
        failure = outcome.failure
        if outcome.decided_by is DecidedBy.QUEUE and failure is not None:
            if not window.attempts:
                record_fallback(writer, CLOSE_WINDOW, outcome)
            parked = failure.kind is FailureKind.ACCEPTED
            put_off(writer, window, failure.code, failure.message, parked=parked)
            return
        result = outcome.result
        by = outcome.decided_by if result is not None else DecidedBy.PLATFORM
        await record_closed(writer, window, by)
        record_fallback(writer, CLOSE_WINDOW, outcome)
        if outcome.refusal is not None:
            no = outcome.refusal
            record_decision(writer, CLOSE_WINDOW, by, no.code, no.message, call_id=outcome.call_id)
        if result is not None:
            writer.held_back = window.id if window.results == Results.ON_REVEAL else None
            await apply_effects(writer, result.effects)
            writer.held_back = None
        await settle(writer, window, result.verdicts if result is not None else None)
        tell_app(writer, window, "closed" if result is not None else "settled")


async def _settle_refused(services: Services, work: Work, error: MymozhemError) -> None:
    """Settle what could not be applied; where the host's own verdicts cannot be either, later."""
    try:
        await _refused(services, work, error)
    except (Dropped, NotFound, Unavailable):
        raise
    except MymozhemError as worse:
        await _put_off(services, work, worse.code, worse.message, afresh=True)


async def _refused(services: Services, work: Work, error: MymozhemError) -> None:
    """Settle what could not be applied by the same strategy as any other failure.

    In a room that is over asking again would bring the same: there the host decides.
    """
    async with write_room(services, work.room_id) as writer:
        window = await held(writer, work, status=WindowStatus.TALLYING)
        queued = writer.manifest.policy(CLOSE_WINDOW).on_failure is Strategy.QUEUE
        if queued and writer.room.status not in ENDED:
            await forget(writer.session, [window.id])  # what the app says is known, and no use
            tell_queued(writer, window, error.code, error.message)
            put_off(writer, window, error.code, error.message)
            return
        record_decision(writer, CLOSE_WINDOW, DecidedBy.PLATFORM, error.code, error.message)
        await settle_without_app(writer, window)


async def _put_off(
    services: Services,
    work: Work,
    code: str,
    message: str,
    *,
    status: WindowStatus = WindowStatus.TALLYING,
    afresh: bool = False,
) -> None:
    async with write_room(services, work.room_id) as writer:
        window = await held(writer, work, status=status)
        if afresh:
            await forget(writer.session, [window.id])
        tell_queued(writer, window, code, message)
        put_off(writer, window, code, message)


async def _reveal(services: Services, work: Work) -> None:
    """Reveal what nobody has; where its points cannot be given, organizers are told, and later."""
    try:
        async with write_room(services, work.room_id) as writer:
            window = await held(writer, work, status=WindowStatus.CLOSED)
            if window.due_at is None or window.due_at > writer.now:
                raise Dropped
            await reveal(writer, window)
            tell_app(writer, window, "revealed")
    except Conflict as refused:
        status = WindowStatus.CLOSED
        await _put_off(services, work, refused.code, refused.message, status=status)


def _check(request: CloseWindowRequest, result: CloseWindowResult) -> None:
    if result.verdicts is None:
        return
    strange = set(result.verdicts.submission_id) - set(request.submissions.id)
    if strange or len(set(result.verdicts.submission_id)) != len(result.verdicts.submission_id):
        message = "The verdicts name a submission twice, or one that was not counted."
        raise BadAnswer(FailureKind.BAD_RESULT, message)
