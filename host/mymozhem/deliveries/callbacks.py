"""What an app says later of a delivery that it had accepted."""

from sqlalchemy import func, select

from mymozhem.db.uow import Database, UnitOfWork
from mymozhem.errors import NotFound

from . import settling
from .carrying import Outcome, Result
from .outbox import Outbox
from .schedule import Schedules
from .tables import AttemptRow, DeliveryRow, DeliveryState, StreamRow

REPORTED = "APP_FAILED"


class Callbacks:
    """Takes the callbacks of apps for deliveries."""

    def __init__(self, database: Database, outbox: Outbox, schedules: Schedules) -> None:
        self._database = database
        self._outbox = outbox
        self._schedules = schedules

    async def knows(self, app_id: str, call_id: str) -> bool:
        """Tell whether a call id is one of a delivery to this app."""
        async with self._database.read() as session:
            row = await session.get(DeliveryRow, call_id)
        return row is not None and row.app_id == app_id

    async def accept(
        self, app_id: str, call_id: str, *, delivered: bool = True, message: str | None = None
    ) -> DeliveryState:
        """Settle a delivery as its app says, and return how far it has come; twice is once.

        Not delivered counts as a failed attempt. A callback may come before its 202, and after its
        time: a dead letter that the app has after all is none any more. NotFound where the id is
        no delivery of this app's.
        """
        result = Result(Outcome.DELIVERED)
        if not delivered:
            result = Result(Outcome.FAILED, REPORTED, message or "The app reported a failure.")
        async with self._database.write() as unit:
            stream, row = await _locked(unit, app_id, call_id)
            await self._apply(unit, stream, row, result)
            unit.after_commit(self._outbox.wake.set)
        return row.state

    async def _apply(
        self, unit: UnitOfWork, stream: StreamRow | None, row: DeliveryRow, result: Result
    ) -> None:
        if row.state is DeliveryState.DELIVERED:
            return
        if stream is not None and await _is_head(unit, row):
            await _take_lease(unit, stream, row)
            await settling.settle_later(unit, stream, row, result, self._schedules)
        elif result.outcome is Outcome.DELIVERED:
            row.state, row.settled_at = DeliveryState.DELIVERED, row.settled_at or unit.now


async def _locked(
    unit: UnitOfWork, app_id: str, call_id: str
) -> tuple[StreamRow | None, DeliveryRow]:
    """Return a delivery with its stream, both locked; a settled one may have no stream any more."""
    name = await unit.session.scalar(
        select(DeliveryRow.stream).where(DeliveryRow.id == call_id, DeliveryRow.app_id == app_id)
    )
    stream = await unit.session.get(StreamRow, name or "", with_for_update=True)
    row = await unit.session.get(DeliveryRow, call_id, with_for_update=True) if name else None
    if row is None:
        message = "There is no such call."
        raise NotFound(message, code="CALL_NOT_FOUND")
    return stream, row


async def _is_head(unit: UnitOfWork, row: DeliveryRow) -> bool:
    first = select(func.min(DeliveryRow.position)).where(
        DeliveryRow.stream == row.stream, DeliveryRow.settled_at.is_(None)
    )
    return await unit.session.scalar(first) == row.position


async def _take_lease(unit: UnitOfWork, stream: StreamRow, row: DeliveryRow) -> None:
    """End the lease of an attempt that the callback has overtaken, so that its result is late."""
    if stream.lease is None:
        return
    attempt = await unit.session.get(AttemptRow, stream.lease)
    if attempt is not None and attempt.delivery_id == row.id:
        stream.lease = stream.lease_until = None
