"""Let the app judge submissions one by one, while the window is open and before it settles.

What is not judged yet is in the database, so nothing is lost: the job that settles the window calls
the app for the rest.
"""

import asyncio
from collections.abc import Sequence
from contextvars import Context as TaskContext

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import (
    AppRef,
    Context,
    DecidedBy,
    JudgeRequest,
    JudgeResult,
    Submission,
    Verdict,
    WindowStatus,
)
from mymozhem.contract.hooks import JUDGE_SUBMISSION
from mymozhem.dispatch.outcome import Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transports.base import AppTarget
from mymozhem.errors import MymozhemError
from mymozhem.rooms.app_calls.fallbacks import record_fallback
from mymozhem.rooms.core.app_context import room_lock
from mymozhem.rooms.core.app_context_data import window_view
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import RoomTransaction, room_transaction
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from .queries import UNDER_WAY
from .rules import Rules

#: submissions that are judged at the same time; an app has other calls to answer as well
AT_ONCE = 8

#: submissions whose verdicts are written together
IN_ONE_COMMIT = 64

logger = structlog.stdlib.get_logger(__name__)


def wake(services: Services, window_id: str) -> None:
    """Start a task of this process that judges a window's submissions, unless one is running."""
    task = services.judges.get(window_id)
    if task is None or task.done():
        judge = judge_waiting(services, window_id)
        task = asyncio.create_task(judge, name=f"judge {window_id}", context=TaskContext())
        services.judges[window_id] = task
        task.add_done_callback(lambda done: _forget(services, window_id, done))


async def judge_waiting(
    services: Services, window_id: str, *, budget: Budget | None = None
) -> None:
    """Call the app for every unjudged submission, until none is left.

    If it does not answer, the rules decide; without rules the verdict stays `pending`. `budget` is
    the time for all of them together; None gives each its own.
    """
    while True:
        async with services.database.read() as session:
            window = await session.get(WindowRow, window_id)
            if window is None or window.status not in (*UNDER_WAY, WindowStatus.TALLYING):
                return
            room = await session.get_one(RoomRow, window.room_id)
            manifest = services.catalog.manifest(room.app_id, room.app_manifest_version)
            contract = (await room_lock(session, services, room, manifest)).contract
            waiting = await _waiting(session, window_id)
        if not waiting:
            return
        places = asyncio.Semaphore(AT_ONCE)
        outcomes = await asyncio.gather(
            *(_ask(services, places, room, contract, window, each, budget) for each in waiting)
        )
        async with room_transaction(services, window.room_id) as transaction:
            await _write(transaction, window_id, waiting, outcomes)


async def _waiting(session: AsyncSession, window_id: str) -> Sequence[SubmissionRow]:
    found = await session.scalars(
        select(SubmissionRow)
        .where(
            SubmissionRow.window_id == window_id,
            SubmissionRow.judged.is_(False),
            SubmissionRow.counts,
        )
        .order_by(SubmissionRow.ordinal)
        .limit(IN_ONE_COMMIT)
    )
    return found.all()


async def _ask(
    services: Services,
    places: asyncio.Semaphore,
    room: RoomRow,
    contract: str,
    window: WindowRow,
    row: SubmissionRow,
    budget: Budget | None,
) -> Outcome[JudgeResult]:
    async with places:
        return await services.dispatcher.call(
            JUDGE_SUBMISSION,
            app=AppTarget(room.app_id, room.app_manifest_version),
            context=Context(
                contract=contract,
                call_id="",
                app=AppRef(id=room.app_id, version=room.app_manifest_version),
                now=services.clock.now(),
                received_at=row.received_at,
                deadline_ms=0,
            ),
            request=JudgeRequest(
                window=window_view(window),
                submission=Submission(
                    id=row.id,
                    window_id=window.key,
                    participant_id=row.participant_id,
                    payload=row.payload,
                    elapsed_ms=row.elapsed_ms,
                    verdict=row.verdict,
                    points=row.points,
                ),
            ),
            budget=budget or Budget(services.clock, services.settings.max_deadline_ms),
        )


async def _write(
    transaction: RoomTransaction,
    window_id: str,
    waiting: Sequence[SubmissionRow],
    outcomes: Sequence[Outcome[JudgeResult]],
) -> None:
    """Write verdicts that are still missing; organizers are notified of the first failure."""
    window = await transaction.session.get_one(WindowRow, window_id, populate_existing=True)
    if window.status not in (*UNDER_WAY, WindowStatus.TALLYING):
        return
    found = await transaction.session.scalars(
        select(SubmissionRow)
        .where(SubmissionRow.id.in_([each.id for each in waiting]), SubmissionRow.judged.is_(False))
        .execution_options(populate_existing=True)
    )
    rows, rules = {row.id: row for row in found}, Rules(window)
    for each, outcome in zip(waiting, outcomes, strict=True):
        row = rows.get(each.id)
        if row is not None:
            row.judged = True
            row.verdict, row.points = _verdict(rules, row, outcome)
    failed = next((each for each in outcomes if each.failure is not None), None)
    if failed is not None and rows:
        record_fallback(transaction, JUDGE_SUBMISSION, failed)


def _verdict(
    rules: Rules, row: SubmissionRow, outcome: Outcome[JudgeResult]
) -> tuple[Verdict, int]:
    if outcome.result is not None:
        return outcome.result.verdict, outcome.result.points
    if outcome.decided_by is DecidedBy.REVIEW:
        return Verdict.PENDING, 0
    return rules.verdict(row.payload, without=Verdict.PENDING)


def _forget(services: Services, window_id: str, task: "asyncio.Task[None]") -> None:
    if services.judges.get(window_id) is task:
        del services.judges[window_id]
    if not task.cancelled() and (error := task.exception()) is not None:
        # It is asked again before the window settles; nothing is lost.
        known = isinstance(error, MymozhemError)
        logger.warning("judging broke off", window=window_id, exc_info=None if known else error)
