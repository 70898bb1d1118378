"""The outbox: notifications for apps, written in the transaction that causes them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mymozhem.contract import JsonObject
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database, UnitOfWork

from .tables import DeliveryContextRow, DeliveryRow, DeliveryState, StreamRow


@dataclass(frozen=True)
class OutboxEntry:
    """The notifications of one transaction to an app by one hook, in order.

    Deliveries of one app, capability and room are one stream. `context` is the JSON of the hook's
    context and the same for all `requests`.
    """

    app_id: str
    app_version: str
    capability: str
    hook: str
    room_id: str | None
    context: JsonObject
    requests: Sequence[JsonObject]
    occurred_at: datetime

    @property
    def stream(self) -> str:
        """The name of the stream."""
        return f"{self.app_id}/{self.capability}/{self.room_id or ''}"


@dataclass(frozen=True)
class Outbox:
    """Takes notifications for apps; `wake` is set after each commit that adds some."""

    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def enqueue(self, unit: UnitOfWork, tellings: Iterable[OutboxEntry]) -> list[str]:
        """Write deliveries and return their ids; they exist exactly if the transaction commits.

        Streams stay locked until the end of the transaction, so call this last in it. Call it once
        per transaction with everything, because streams are locked in the order of their names.
        """
        contexts: list[dict[str, object]] = []
        rows: list[dict[str, object]] = []
        for telling in sorted(tellings, key=lambda each: each.stream):
            if telling.requests:
                context_id = new_id("dctx")
                contexts.append({"id": context_id, "document": telling.context})
                rows += await _rows(unit, telling, context_id)
        if rows:
            await unit.session.execute(insert(DeliveryContextRow), contexts)
            await unit.session.execute(insert(DeliveryRow), rows)
            unit.after_commit(self.wake.set)
        return [str(row["id"]) for row in rows]

    async def app_is_back(self, database: Database, app_id: str) -> None:
        """Make an app's parked deliveries due now; does nothing if there are none."""
        async with database.write() as unit:
            await unpark(unit, app_id)
            unit.after_commit(self.wake.set)


async def unpark(unit: UnitOfWork, app_id: str) -> None:
    """Make an app's parked deliveries due now, except in streams with a lease."""
    parked = (
        select(StreamRow.stream)
        .where(StreamRow.app_id == app_id, StreamRow.parked, StreamRow.next_at > unit.now)
        .with_for_update(skip_locked=True)
    )
    await unit.session.execute(
        update(StreamRow)
        .where(StreamRow.stream.in_(parked))
        .values(next_at=unit.now)
        .execution_options(synchronize_session=False)
    )


async def reserve(unit: UnitOfWork, app_id: str, stream: str, count: int) -> int:
    """Lock a stream and return the first of `many` new positions at its end; it is due then."""
    # Both engines have "on conflict", but SQLAlchemy has no common form of it.
    is_sqlite = unit.session.get_bind().dialect.name == "sqlite"
    new = (sqlite.insert(StreamRow) if is_sqlite else postgresql.insert(StreamRow)).values(
        stream=stream, app_id=app_id, last_position=count, next_at=unit.now
    )
    last = await unit.session.scalar(
        new.on_conflict_do_update(
            index_elements=[StreamRow.stream],
            set_={
                "last_position": StreamRow.last_position + count,
                "next_at": func.coalesce(StreamRow.next_at, new.excluded.next_at),
            },
        ).returning(StreamRow.last_position)
    )
    return int(last or 0) - count + 1


async def _rows(unit: UnitOfWork, telling: OutboxEntry, context_id: str) -> list[dict[str, object]]:
    first = await reserve(unit, telling.app_id, telling.stream, len(telling.requests))
    return [
        {
            "id": new_id("call"),
            "stream": telling.stream,
            "position": first + place,
            "app_id": telling.app_id,
            "app_version": telling.app_version,
            "capability": telling.capability,
            "hook": telling.hook,
            "room_id": telling.room_id,
            "context_id": context_id,
            "request": request,
            "occurred_at": telling.occurred_at,
            "state": DeliveryState.PENDING,
            "created_at": unit.now,
        }
        for place, request in enumerate(telling.requests)
    ]
