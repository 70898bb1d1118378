"""Deliveries as operators see them: their state and every attempt, never the body."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.tables import (
    AttemptOutcome,
    AttemptRow,
    DeliveryRow,
    DeliveryState,
    StreamRow,
)
from mymozhem.errors import NotFound

from .base import Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page

_NEWEST: Columns = {"id": DeliveryRow.id, "createdAt": DeliveryRow.created_at}
_LATEST_DEATH: Columns = {"id": DeliveryRow.id, "settledAt": DeliveryRow.settled_at}


@dataclass(frozen=True)
class DeliveryFilter:
    """Filters of deliveries; None leaves a filter out."""

    state: DeliveryState | None = None
    app_id: str | None = None
    capability: str | None = None
    room_id: str | None = None


class DeliveryView(View):
    """A delivery to an app; its `id` is the call id that the app receives in every attempt.

    `parked` means that its stream waits for an app that is paused or stopped. `nextAt` is the due
    time of the first delivery in its stream, null if settled. `settledAt` is when it was delivered
    or died.
    """

    id: str
    app_id: str
    app_version: str
    capability: str
    hook: str
    room_id: str | None
    state: DeliveryState
    parked: bool
    attempt_count: int
    last_code: str | None
    last_error: str | None
    occurred_at: Timestamp
    created_at: Timestamp
    next_at: Timestamp | None
    settled_at: Timestamp | None


class AttemptView(View):
    """One attempt; `endedAt` is null while it runs, `durationMs` also if its process died."""

    number: int
    outcome: AttemptOutcome
    code: str | None
    message: str | None
    started_at: Timestamp
    ended_at: Timestamp | None
    duration_ms: int | None


class DeliveryWholeView(DeliveryView):
    """A delivery with all attempts, the first one first."""

    attempts: list[AttemptView]


async def list_deliveries(
    database: Database, wanted: DeliveryFilter, part: PageRequest
) -> ResultPage[DeliveryView]:
    """Return deliveries, the newest first; dead letters by the time at which they died."""
    rows = _rows()
    for column, value in (
        (DeliveryRow.state, wanted.state),
        (DeliveryRow.app_id, wanted.app_id),
        (DeliveryRow.capability, wanted.capability),
        (DeliveryRow.room_id, wanted.room_id),
    ):
        if value is not None:
            rows = rows.where(column == value)
    dead = wanted.state is DeliveryState.DEAD
    columns, first = (_LATEST_DEATH, "-settledAt") if dead else (_NEWEST, "-createdAt")
    request = PageRequest(part.page, part.limit, (first,))
    async with database.read() as session:
        found, total = await fetch_page(session, rows, request, columns)
    return ResultPage([DeliveryView(**_facts(row, stream)) for row, stream in found], total)


async def show_delivery(database: Database, delivery_id: str) -> DeliveryWholeView:
    """Return a delivery with its attempts; NotFound if there is none."""
    async with database.read() as session:
        found = (await session.execute(_rows().where(DeliveryRow.id == delivery_id))).one_or_none()
        if found is None:
            message = "There is no such delivery."
            raise NotFound(message, code="DELIVERY_NOT_FOUND")
        row, stream = found
        attempts = await session.scalars(
            select(AttemptRow).where(AttemptRow.delivery_id == row.id).order_by(AttemptRow.number)
        )
        seen = [_attempt(each) for each in attempts]
    return DeliveryWholeView(**_facts(row, stream), attempts=seen)


def _rows() -> Select[*tuple[Any, ...]]:
    """Return the query of deliveries with their streams; a settled one may have no stream."""
    return select(DeliveryRow, StreamRow).outerjoin(
        StreamRow, StreamRow.stream == DeliveryRow.stream
    )


def _facts(row: DeliveryRow, stream: StreamRow | None) -> dict[str, Any]:
    going_on = stream if row.settled_at is None else None
    return {
        "id": row.id,
        "app_id": row.app_id,
        "app_version": row.app_version,
        "capability": row.capability,
        "hook": row.hook,
        "room_id": row.room_id,
        "state": row.state,
        "parked": going_on.parked if going_on else False,
        "attempt_count": row.attempts,
        "last_code": row.last_code,
        "last_error": row.last_error,
        "occurred_at": row.occurred_at,
        "created_at": row.created_at,
        "next_at": going_on.next_at if going_on else None,
        "settled_at": row.settled_at,
    }


def _attempt(row: AttemptRow) -> AttemptView:
    return AttemptView(
        number=row.number,
        outcome=row.outcome,
        code=row.code,
        message=row.message,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_ms=row.duration_ms,
    )
