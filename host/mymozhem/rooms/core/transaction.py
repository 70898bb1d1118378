"""The one way to write in a room: lock its row first, write its log last."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, insert, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.audit.tables import AuditRow
from mymozhem.contract import Change
from mymozhem.contract.enums import RoomStatus
from mymozhem.contract.events import HostEvent
from mymozhem.contract.hooks import ON_EVENT
from mymozhem.db.base import JsonObject, new_id
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.errors import MymozhemError, NotFound
from mymozhem.idempotency import keys
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.tables.events import RoomEventRow, RoomStreamRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.tables.timers import TimerRow, TimerSpace

from . import app_outbox
from .app_outbox import AppNotification
from .notices import Notices
from .services import Services

MAX_DEPTH = 8

#: events in one statement; some milliseconds of the event loop
EVENTS_AT_ONCE = 500

# Written by their tables, and by statements that are built once: the ORM costs as much as the rest.
_EVENTS = insert(cast("Table", RoomEventRow.__table__))
_STREAMS = cast("Table", RoomStreamRow.__table__)
_MOVED = (
    update(_STREAMS)
    .where(_STREAMS.c.room_id == bindparam("in_room"), _STREAMS.c.stream == bindparam("named"))
    .values(last_no=bindparam("upto"))
)
_ENDS = select(_STREAMS.c.stream, _STREAMS.c.last_no).where(
    _STREAMS.c.room_id == bindparam("in_room"),
    _STREAMS.c.stream.in_(bindparam("named", expanding=True)),
)
_LOCKED = (
    select(RoomRow)
    .where(RoomRow.id == bindparam("in_room"), RoomRow.deleted_at.is_(None))
    .with_for_update()
    .execution_options(populate_existing=True)
)

ENDED = frozenset({RoomStatus.COMPLETED, RoomStatus.CANCELLED})


class RoomTransaction:
    """A transaction in one room, with its row locked.

    `record` appends to the log, `changed` schedules a call of the app about a change, `tell`
    notifies the app, and `audit` adds to the operators' audit log. All are written at the end of
    the block. `depth` counts the hooks that led here.
    """

    def __init__(
        self,
        services: Services,
        unit: UnitOfWork,
        room: RoomRow,
        *,
        manifest: Manifest,
        actor_id: str | None,
        depth: int,
    ) -> None:
        self.services = services
        self.unit = unit
        self.room = room
        self.manifest = manifest
        self.actor_id = actor_id
        self.depth = depth
        #: the window whose results are held back while its app settles it, by its row's id
        self.held_back: str | None = None
        self._events: list[dict[str, object]] = []
        self._changes: list[Change] = []
        self._notifications: list[AppNotification] = []
        self._audits: list[dict[str, object]] = []
        self._notices = Notices()
        #: the last number of streams, None for one without events; nobody else writes them now
        self._ends: dict[str, int | None] = {}

    @property
    def session(self) -> AsyncSession:
        """The session of the transaction."""
        return self.unit.session

    @property
    def now(self) -> datetime:
        """The database's time at the start of the transaction."""
        return self.unit.now

    def record(self, event: HostEvent, *, to: str | None = None) -> None:
        """Append an event of the host, at its own level or to the named stream."""
        self._notices.add(event)
        payload = event.model_dump(mode="json", by_alias=True)
        self.record_raw(event.type, payload, to=to or event.level, version=event.version)

    def record_raw(
        self, event_type: str, payload: Mapping[str, object], *, to: str, version: int = 1
    ) -> None:
        """Append an event; `to` is a level or a participant's id."""
        self._events.append(
            {
                "room_id": self.room.id,
                "stream": str(to),
                "type": event_type,
                "payload": dict(payload),
                "actor_id": self.actor_id,
                "schema_version": version,
                "after_end": self.room.status in ENDED,
                "created_at": self.now,
            }
        )

    def changed(self, change: Change) -> None:
        """Schedule a call of the app about a change if its manifest asks for that kind."""
        self._changes.append(change)

    def tell(self, notification: AppNotification) -> None:
        """Notify the app if it implements that hook."""
        if notification.hook.capability in self.manifest.capabilities:
            self._notifications.append(notification)

    def audit(self, action: str, *, subject: str | None = None, **details: object) -> None:
        """Record in the audit log who did what."""
        self._audits.append(
            {
                "id": new_id("audit"),
                "actor_id": self.actor_id,
                "action": action,
                "room_id": self.room.id,
                "subject": subject,
                "details": details,
                "created_at": self.now,
            }
        )

    def touch(self) -> None:
        """Mark the room as changed: increment its version (the ETag) and set its time."""
        self.room.version += 1
        self.room.updated_at = self.now

    def wake_jobs(self) -> None:
        """Wake the job runner of this process after the commit."""
        self.unit.after_commit(self.services.wake.set)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """Run a block in a savepoint: if it raises, it is undone and the transaction continues.

        The error propagates to the caller, who catches it. An error that is not one of the host's
        own rolls back the whole transaction.
        """
        await self.write_events()
        changes, audits, notifications = (
            len(self._changes),
            len(self._audits),
            len(self._notifications),
        )
        notices, ends = self._notices.copy(), self._ends.copy()
        try:
            async with self.session.begin_nested():
                yield
                await self.write_events()
        except MymozhemError:
            self._events, self._notices, self._ends = [], notices, ends
            del self._changes[changes:], self._audits[audits:], self._notifications[notifications:]
            await self._reload()
            raise

    async def _reload(self) -> None:
        """Refresh rows that the undone block had changed; rows do not reload automatically."""
        for row in list(self.session):
            if inspect(row).expired:
                await self.session.refresh(row)

    async def finish(self) -> None:
        """Write what was recorded; called once at the end of the block."""
        await self.write_events()
        await self._write_changes()
        await self._notices.write(self.session, self.room.id, self.now)
        if self._audits:
            await self.session.execute(insert(AuditRow), self._audits)
        await keys.mark_done(self.session)
        await self.session.flush()
        if self._notifications:
            await app_outbox.enqueue(
                self.services, self.unit, self.room, self.manifest, self._notifications
            )

    async def write_events(self) -> None:
        """Number and write the events recorded so far, for callers that need the number."""
        if not self._events:
            return
        for start in range(0, len(self._events), EVENTS_AT_ONCE):
            some = self._events[start : start + EVENTS_AT_ONCE]
            await self._number(some)
            await self.session.flush()  # the room itself may be new
            await (await self.session.connection()).execute(_EVENTS, some)
        if ON_EVENT.capability in self.manifest.capabilities:
            self._notifications.extend(
                app_outbox.event_notification(event) for event in self._events
            )
        self._events = []

    async def stream_ends(self, streams: Collection[str]) -> Mapping[str, int | None]:
        """Return the last number of streams, None for one without events."""
        unknown = sorted(set(streams) - self._ends.keys())
        if unknown:
            given = {"in_room": self.room.id, "named": unknown}
            found = await self.session.execute(_ENDS, given)
            self._ends |= dict.fromkeys(unknown) | {
                str(row.stream): int(row.last_no) for row in found
            }
        return self._ends

    def know_ends(self, ends: Mapping[str, int | None]) -> None:
        """Take the ends of streams that were read with something else in this transaction."""
        self._ends = {**ends, **self._ends}

    async def _number(self, events: Sequence[dict[str, object]]) -> None:
        """Number events in the log and in their streams, and store the streams' new ends."""
        streams = sorted({str(event["stream"]) for event in events})
        before = dict(await self.stream_ends(streams))
        last = {stream: before[stream] or 0 for stream in streams}
        for event in events:
            stream = str(event["stream"])
            last[stream] += 1
            self.room.last_seq += 1
            event |= {"seq": self.room.last_seq, "stream_no": last[stream]}
        moved, new = [], []
        for stream, upto in last.items():
            if before[stream] is None:
                new.append({"room_id": self.room.id, "stream": stream, "last_no": upto})
            else:
                moved.append({"in_room": self.room.id, "named": stream, "upto": upto})
        if moved:
            await (await self.session.connection()).execute(_MOVED, moved)
        if new:
            await self.session.execute(insert(_STREAMS), new)
        self._ends |= last

    async def _write_changes(self) -> None:
        subscribed = [change for change in self._changes if change.kind in self.manifest.changes]
        if not subscribed or self.depth >= MAX_DEPTH:
            return
        await self.session.execute(
            insert(TimerRow), [self._change_row(change) for change in subscribed]
        )
        self.wake_jobs()

    def _change_row(self, change: Change) -> JsonObject:
        timer_id = new_id("timer")
        return {
            "id": timer_id,
            "room_id": self.room.id,
            "space": TimerSpace.CHANGE,
            "key": timer_id,
            "generation": 1,
            "due_at": self.now,
            "next_at": self.now,
            "payload": change.model_dump(mode="json", by_alias=True, exclude_none=True),
            "depth": self.depth + 1,
            "attempts": 0,
        }


@asynccontextmanager
async def room_transaction(
    services: Services,
    room_id: str,
    *,
    actor_id: str | None = None,
    depth: int = 0,
) -> AsyncIterator[RoomTransaction]:
    """Open a transaction with the room locked; commit at the end, roll back on any error.

    Raises NotFound if the room does not exist or was deleted.
    """
    async with services.database.write(turn=room_id) as unit:
        room = await lock_room(unit.session, room_id)
        manifest = services.catalog.manifest(room.app_id, room.app_manifest_version)
        transaction = RoomTransaction(
            services, unit, room, manifest=manifest, actor_id=actor_id, depth=depth
        )
        yield transaction
        await transaction.finish()


async def lock_room(session: AsyncSession, room_id: str) -> RoomRow:
    """Lock a room's row and return it; NotFound if it does not exist."""
    room = await session.scalar(_LOCKED, {"in_room": room_id})
    if room is None:
        message = "There is no such room."
        raise NotFound(message, code="ROOM_NOT_FOUND")
    return room
