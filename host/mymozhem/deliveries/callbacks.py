"""Callbacks: the results that apps send later for deliveries that they accepted."""

from sqlalchemy import func, select

from mymozhem.contract.envelopes import ReplyEnvelope
from mymozhem.db.unit_of_work import Database, UnitOfWork
from mymozhem.errors import Conflict, NotFound

from . import results
from .delivery import Outcome, Result
from .outbox import Outbox
from .retry_schedule import Schedules
from .tables import AttemptRow, DeliveryRow, DeliveryState, StreamRow

#: the code of an attempt whose app refused in its callback
REPORTED = "APP_FAILED"


class Callbacks:
    """Records the results of deliveries that apps accepted and worked on for a while."""

    def __init__(self, database: Database, outbox: Outbox, schedules: Schedules) -> None:
        self._database = database
        self._outbox = outbox
        self._schedules = schedules

    async def accept(
        self, app_id: str, capability: str, delivery_id: str, body: ReplyEnvelope
    ) -> None:
        """Settle a delivery as its app says; idempotent for the same result.

        A refusal counts as a failed attempt, because a notification cannot be refused. A result may
        arrive before its 202, and after its deadline: a dead letter that the app has after all
        becomes delivered. Raises NotFound if the id is not a delivery of this app and capability,
        Conflict if the app refuses what it has confirmed already.
        """
        result = _result(body)
        async with self._database.write(turn=delivery_id) as unit:
            stream, row = await _locked(unit, app_id, capability, delivery_id)
            await self._apply(unit, stream, row, result)
            unit.after_commit(self._outbox.wake.set)

    async def _apply(
        self, unit: UnitOfWork, stream: StreamRow | None, row: DeliveryRow, result: Result
    ) -> None:
        has_it = result.outcome is Outcome.DELIVERED
        if row.state is DeliveryState.DELIVERED:
            if not has_it:
                message = "This app has already confirmed this delivery."
                raise Conflict(message, code="ALREADY_DELIVERED")
        elif stream is not None and await _is_head(unit, row):
            if (
                await _take_lease(unit, stream, row)
                or row.state is DeliveryState.ACCEPTED
                or has_it
            ):
                await results.record_callback_pending(unit, stream, row, result, self._schedules)
        elif has_it:
            row.state, row.settled_at = DeliveryState.DELIVERED, row.settled_at or unit.now


def _result(body: ReplyEnvelope) -> Result:
    if body.outcome == "ok":
        return Result(Outcome.DELIVERED)
    said = body.data.get("message") if isinstance(body.data, dict) else None
    message = said if isinstance(said, str) else "The app called back and refused."
    return Result(Outcome.FAILED, REPORTED, message)


async def _locked(
    unit: UnitOfWork, app_id: str, capability: str, delivery_id: str
) -> tuple[StreamRow | None, DeliveryRow]:
    """Return a delivery with its stream, both locked; a settled one may have no stream any more."""
    name = await unit.session.scalar(
        select(DeliveryRow.stream).where(
            DeliveryRow.id == delivery_id,
            DeliveryRow.app_id == app_id,
            DeliveryRow.capability == capability,
        )
    )
    stream = await unit.session.get(StreamRow, name or "", with_for_update=True)
    row = await unit.session.get(DeliveryRow, delivery_id, with_for_update=True) if name else None
    if row is None:
        message = "There is no such delivery."
        raise NotFound(message, code="DELIVERY_NOT_FOUND")
    return stream, row


async def _is_head(unit: UnitOfWork, row: DeliveryRow) -> bool:
    first = select(func.min(DeliveryRow.position)).where(
        DeliveryRow.stream == row.stream, DeliveryRow.settled_at.is_(None)
    )
    return await unit.session.scalar(first) == row.position


async def _take_lease(unit: UnitOfWork, stream: StreamRow, row: DeliveryRow) -> bool:
    """End the lease of an attempt that the callback has overtaken, so that its result is stale."""
    if stream.lease is None:
        return False
    attempt = await unit.session.get(AttemptRow, stream.lease)
    if attempt is None or attempt.delivery_id != row.id:
        return False
    stream.lease = stream.lease_until = None
    return True
