"""Record the result of an attempt: delivery, attempt and stream in one transaction.

Every function here works on a stream that its caller has locked.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.db.unit_of_work import UnitOfWork

from .delivery import Outcome, Result
from .outbox import unpark
from .retry_schedule import Schedules
from .tables import (
    ERROR_LENGTH,
    NAME_LENGTH,
    AttemptOutcome,
    AttemptRow,
    DeliveryRow,
    DeliveryState,
    StreamRow,
)

#: how long a head whose app is paused or stopped stays parked
PARKED = timedelta(seconds=60)

#: how long an app that accepted a delivery may take to send the result
CALLBACK = timedelta(hours=1)

#: how often in a row the process of a delivery may die before it is a dead letter
MAX_LOST = 20

NO_CALLBACK = "APP_NO_CALLBACK"
LOST = "HOST_LOST"

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")

Chance = Callable[[], float]


async def record(
    unit: UnitOfWork,
    stream: StreamRow,
    head: DeliveryRow,
    attempt: AttemptRow,
    result: Result,
    schedules: Schedules,
    *,
    chance: Chance,
    duration_ms: int,
) -> None:
    """Record the result of the attempt that holds the stream's lease.

    If the app accepts deliveries again, its other parked deliveries become due as well.
    """
    stream.lease = stream.lease_until = None
    if result.outcome is Outcome.PARKED:
        await _park(unit, stream, head, attempt, result)
        return
    if stream.parked and result.outcome is not Outcome.FAILED:
        await unpark(unit, stream.app_id)
    stream.parked = False
    head.attempts, head.lost = attempt.number, 0
    _end(attempt, AttemptOutcome(result.outcome.value), result, unit.now, duration_ms)
    if result.outcome is Outcome.FAILED:
        _fail(unit, stream, head, result, schedules, chance())
    elif result.outcome is Outcome.ACCEPTED:
        head.state, stream.next_at = DeliveryState.ACCEPTED, unit.now + CALLBACK
    else:
        _deliver(unit, stream, head)


async def give_up_waiting(
    unit: UnitOfWork, stream: StreamRow, head: DeliveryRow, schedules: Schedules
) -> None:
    """Record a failure, because the callback did not arrive in time."""
    message = f"The app accepted it and did not call back within {CALLBACK}."
    result = Result(Outcome.FAILED, NO_CALLBACK, message)
    await record_callback_pending(unit, stream, head, result, schedules)


async def record_callback_pending(
    unit: UnitOfWork, stream: StreamRow, head: DeliveryRow, result: Result, schedules: Schedules
) -> None:
    """Record a late result of the head's latest attempt; no process sends the head now."""
    head.state = DeliveryState.PENDING
    attempt = await _latest(unit.session, head)
    if attempt is not None:
        head.attempts = attempt.number
        _end(attempt, AttemptOutcome(result.outcome.value), result, unit.now, attempt.duration_ms)
    if result.outcome is Outcome.FAILED:
        _fail(unit, stream, head, result, schedules, 0.0)
    else:
        _deliver(unit, stream, head)


async def lose(unit: UnitOfWork, stream: StreamRow, head: DeliveryRow) -> None:
    """Record that the process of an attempt died; this is a failure only if it happens repeatedly.

    Whether the app was reached is unknown: it is called again, under the same id.
    """
    attempt = await unit.session.get_one(AttemptRow, stream.lease)
    stream.lease = stream.lease_until = None
    head.attempts, head.lost = attempt.number, head.lost + 1
    message = "The process that sent it died, or was silent for too long."
    result = Result(Outcome.FAILED, LOST, message)
    _end(attempt, AttemptOutcome.LOST, result, unit.now, None)
    _note(head, result)
    if head.lost >= MAX_LOST:
        _close(unit, stream, head, DeliveryState.DEAD)


def _deliver(unit: UnitOfWork, stream: StreamRow, head: DeliveryRow) -> None:
    head.last_code = head.last_error = None
    _close(unit, stream, head, DeliveryState.DELIVERED)


async def _park(
    unit: UnitOfWork, stream: StreamRow, head: DeliveryRow, attempt: AttemptRow, result: Result
) -> None:
    """Park the stream: the app was not called, so there was no attempt."""
    await unit.session.delete(attempt)
    stream.parked, stream.next_at = True, unit.now + PARKED
    _note(head, result)


def _fail(
    unit: UnitOfWork,
    stream: StreamRow,
    head: DeliveryRow,
    result: Result,
    schedules: Schedules,
    chance: float,
) -> None:
    head.failures += 1
    _note(head, result)
    schedule = schedules.of(head.app_id, head.app_version, head.capability)
    wait = schedule.wait(head.failures, chance=chance)
    if wait is None:
        _close(unit, stream, head, DeliveryState.DEAD)
    else:
        stream.next_at = unit.now + timedelta(seconds=wait)


def _close(unit: UnitOfWork, stream: StreamRow, head: DeliveryRow, state: DeliveryState) -> None:
    """Settle the head; the next claim of the stream finds out whether there is another."""
    head.state, head.settled_at = state, unit.now
    stream.parked, stream.next_at = False, unit.now


def _end(
    attempt: AttemptRow,
    outcome: AttemptOutcome,
    result: Result,
    now: datetime,
    duration_ms: int | None,
) -> None:
    attempt.outcome, attempt.ended_at, attempt.duration_ms = outcome, now, duration_ms
    attempt.code, attempt.message = _code(result), _message(result)


def _note(head: DeliveryRow, result: Result) -> None:
    head.last_code, head.last_error = _code(result), _message(result)


def _code(result: Result) -> str | None:
    return result.code and result.code[:NAME_LENGTH]


def _message(result: Result) -> str | None:
    return result.message and _UNSTORABLE.sub("�", result.message)[:ERROR_LENGTH]


async def _latest(session: AsyncSession, head: DeliveryRow) -> AttemptRow | None:
    return await session.scalar(
        select(AttemptRow)
        .where(AttemptRow.delivery_id == head.id)
        .order_by(AttemptRow.number.desc())
        .limit(1)
    )
