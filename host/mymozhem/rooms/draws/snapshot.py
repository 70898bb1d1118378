"""The snapshot that a draw is prepared from: prizes, candidates, redraw, and who is excluded."""

import asyncio
import gc
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, null, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from mymozhem.auth.tables import UserRow
from mymozhem.contract import (
    Candidates,
    DrawPrize,
    DrawStatus,
    JsonObject,
    ParticipantStatus,
    PublicSource,
    Replaced,
    Role,
    WinnerStatus,
)
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.core.revision import Revision, revision
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow

from .entries import CHUNK, write_chunk
from .entries import Row as EntryRow
from .items import is_of_items
from .queries import wanted_prizes, wanted_sources

#: different metadata of candidates that are kept once for all who have the same
MAX_SHARED = 10_000


@dataclass
class People:
    """Candidates in canonical order: as the app sees them, and as chunks to freeze."""

    candidates: Candidates
    chunks: list[bytes] = field(default_factory=list)

    def columns(self) -> list[object]:
        """Return the columns of the candidates, to keep them until `let_go` releases them."""
        return list(vars(self.candidates).values())


async def let_go(columns: list[object]) -> None:
    """Release columns one after the other: to free millions of values at once takes a while."""
    while columns:
        columns.pop()
        await asyncio.sleep(0)


@dataclass(frozen=True)
class DrawSnapshot:
    """A draw and its room at one moment, before the app is called.

    `revision` and `seq` (the end of the room's log) tell later whether the snapshot is stale.
    """

    room: RoomRow
    draw: DrawRow
    manifest: Manifest
    lock_digest: str
    prizes: tuple[DrawPrize, ...]
    sources: tuple[PublicSource, ...]
    replaced: Replaced | None
    exclude: tuple[str, ...]
    people: People
    revision: Revision
    seq: int


async def take_snapshot(
    session: AsyncSession, services: Services, draw: DrawRow, *, asked: bool
) -> DrawSnapshot:
    """Read everything that a draw depends on; `asked` adds the data that only apps receive."""
    room = (await session.scalars(select(RoomRow).where(RoomRow.id == draw.room_id))).one()
    lock = await session.scalar(select(RoomLockRow.digest).where(RoomLockRow.id == room.lock_id))
    of_items = is_of_items(draw)
    prizes = () if of_items else await _prizes(session, draw)
    replaced = await _replaced(session, draw)
    return DrawSnapshot(
        room=room,
        draw=draw,
        manifest=services.catalog.manifest(room.app_id, room.app_manifest_version),
        lock_digest=lock or "",
        prizes=prizes,
        sources=wanted_sources(draw.request),
        replaced=replaced,
        exclude=() if of_items else await _exclude(session, room.id, prizes, replaced),
        people=People(Candidates())
        if of_items
        else await _people(session, services, room, asked=asked),
        revision=await revision(session, room, None),
        seq=room.last_seq,
    )


async def is_stale(session: AsyncSession, room: RoomRow, seen: DrawSnapshot) -> bool:
    """Return whether the snapshot is stale, under the room's lock.

    Participants who joined since then do not make it stale; participants who left do.
    """
    if await revision(session, room, None) != seen.revision:
        return True
    if room.last_seq == seen.seq or not seen.people.candidates.id:
        return False
    return await _somebody_left(session, room.id, seen)


async def _somebody_left(session: AsyncSession, room_id: str, seen: DrawSnapshot) -> bool:
    """Compare the candidates with those of now page by page; both are in ascending order."""
    ids, place, after = seen.people.candidates.id, 0, ""
    active = select(ParticipantRow.id).where(*_candidates(room_id)).order_by(ParticipantRow.id)
    while place < len(ids):
        query = active.where(ParticipantRow.id > after).limit(CHUNK)
        page = (await session.scalars(query)).all()
        if not page:
            return True
        after = page[-1]
        end = bisect_right(ids, after, lo=place)
        if not set(page).issuperset(ids[place:end]):
            return True
        place = end
    return False


async def _prizes(session: AsyncSession, draw: DrawRow) -> tuple[DrawPrize, ...]:
    rows = await session.scalars(
        select(PrizeRow)
        .where(PrizeRow.room_id == draw.room_id, PrizeRow.deleted_at.is_(None))
        .order_by(PrizeRow.id)
    )
    found = {row.id: row for row in rows}
    wanted = wanted_prizes(draw.request)
    if wanted is None:
        counts = [(row.id, row.quantity_remaining) for row in found.values()]
    else:
        counts = [(prize.prize_id, prize.count) for prize in wanted]
    return tuple(
        DrawPrize(prize_id=prize_id, name=row.name, count=count, metadata=row.data)
        for prize_id, count in counts
        if count and (row := found.get(prize_id)) is not None
    )


async def _replaced(session: AsyncSession, draw: DrawRow) -> Replaced | None:
    if draw.replaces is None:
        return None
    win = (await session.scalars(select(WinnerRow).where(WinnerRow.id == draw.replaces))).one()
    # The prize is the one of the request: a win may have been moved before it was revoked.
    return Replaced(
        winner_id=win.id,
        participant_id=win.participant_id,
        prize_id=win.prize_id,
        reason=win.reason,
    )


async def _exclude(
    session: AsyncSession, room_id: str, prizes: Sequence[DrawPrize], replaced: Replaced | None
) -> tuple[str, ...]:
    """Return who cannot win: holders of one of the prizes; in a redraw, all ever drawn for it.

    The database allows nobody to win a prize twice, so the rule has to exclude them.
    """
    prize_ids = [prize.prize_id for prize in prizes]
    of_these: list[ColumnElement[bool]] = [
        WinnerRow.room_id == room_id,
        WinnerRow.prize_id.in_(prize_ids),
        WinnerRow.sealed.is_(False),
    ]
    if replaced is None:
        of_these.append(WinnerRow.status != WinnerStatus.REVOKED)
    held = set(await session.scalars(select(WinnerRow.participant_id).where(*of_these)))
    if replaced is not None:
        held |= {replaced.participant_id, *await _ever_drawn(session, room_id, prize_ids)}
    return tuple(sorted(held))


async def _ever_drawn(
    session: AsyncSession, room_id: str, prize_ids: Sequence[str]
) -> Iterable[str]:
    """Return everybody drawn for a prize, including those moved to another one since."""
    drawn = await session.scalars(
        select(DrawRow.picks).where(
            DrawRow.room_id == room_id, DrawRow.status == DrawStatus.REVEALED
        )
    )
    return [
        pick["participantId"]
        for picks in drawn
        for pick in picks or ()
        if pick["prizeId"] in prize_ids
    ]


async def _people(
    session: AsyncSession, services: Services, room: RoomRow, *, asked: bool
) -> People:
    """Read the candidates page by page, so that a million of them do not block the event loop.

    SQLite would fetch all rows of one statement at once, which takes more memory than the draw.
    """
    columns, chunks = _Columns(services, room), list[bytes]()
    query, after = _query(room).limit(CHUNK), ""
    while part := (await session.execute(query.where(ParticipantRow.id > after))).all():
        columns.add(part, asked=asked)
        chunks.append(await asyncio.to_thread(write_chunk, [_entry_row(row) for row in part]))
        after = part[-1].id
    return People(await columns.candidates(), chunks)


class _Columns:
    """Candidates as an app sees them, column by column; only ids if no app is called."""

    def __init__(self, services: Services, room: RoomRow) -> None:
        self._services, self._room = services, room
        self._parts: dict[str, list[tuple[Any, ...]]] = {"id": []}
        self._shared: dict[Hashable, JsonObject] = {}

    def add(self, rows: Sequence[Row[Any]], *, asked: bool) -> None:
        """Add a chunk of candidates."""
        # Kept as tuples of atoms: the garbage collector does not look into them again and again.
        self._parts["id"].append(tuple(row.id for row in rows))
        for name, values in self._seen_by_app(rows).items() if asked else ():
            self._parts.setdefault(name, []).append(tuple(values))

    async def candidates(self) -> Candidates:
        """Return all added candidates."""
        joined = dict[str, tuple[Any, ...]]()
        for name in list(self._parts):
            joined[name] = tuple(chain.from_iterable(self._parts.pop(name)))
            # The garbage collector looks at every value of a new tuple, and then never again if
            # all are atoms. Column by column, this takes some milliseconds each.
            gc.collect(0)
            await asyncio.sleep(0)
        # Not validated: it is our own, and a million checks would be felt.
        return Candidates.model_construct(None, **joined)

    def _one_of_equals(self, metadata: JsonObject) -> JsonObject:
        """Return one object for equal metadata; nobody changes it, since apps get copies.

        A million objects of their own would stop the process whenever garbage is collected.
        """
        if len(self._shared) >= MAX_SHARED:
            return metadata
        # Types as well: 1, 1.0 and True are equal, and different JSON.
        key = (*metadata.items(), *map(type, metadata.values()))
        try:
            return self._shared.setdefault(key, metadata)
        except TypeError:  # lists and objects inside have no hash
            return metadata

    def _seen_by_app(self, rows: Sequence[Row[Any]]) -> dict[str, list[Any]]:
        person_id, app_id = self._services.keys.person_id, self._room.app_id
        continues = self._room.continues is not None
        return {
            "person_id": [person_id(app_id, row.user_id) for row in rows],
            "kind": [row.kind for row in rows],
            "metadata": [self._one_of_equals(row.data) for row in rows],
            "points": [row.points for row in rows],
            "earlier_points": [row.earlier_points for row in rows] if continues else [],
            "last_seen_at": [row.last_seen_at for row in rows],
        }


def _query(room: RoomRow) -> "Select[*tuple[Any, ...]]":
    earlier = aliased(ParticipantRow)
    points = earlier.points if room.continues is not None else null()
    query: Select[*tuple[Any, ...]] = (
        select(
            ParticipantRow.id,
            ParticipantRow.user_id,
            UserRow.kind,
            ParticipantRow.data,
            ParticipantRow.points,
            points.label("earlier_points"),
            ParticipantRow.last_seen_at,
        )
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(*_candidates(room.id))
        .order_by(ParticipantRow.id)
    )
    if room.continues is None:
        return query
    same = and_(earlier.user_id == ParticipantRow.user_id, earlier.room_id == room.continues)
    return query.outerjoin(earlier, same)


def _candidates(room_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        ParticipantRow.room_id == room_id,
        ParticipantRow.status == ParticipantStatus.ACTIVE,
        ParticipantRow.role == Role.PARTICIPANT,
        ParticipantRow.deleted_at.is_(None),
    )


def _entry_row(row: Row[Any]) -> EntryRow:
    seen = row.last_seen_at and row.last_seen_at.astimezone(UTC).isoformat()
    return (row.id, row.kind, row.data, row.points, row.earlier_points, seen)
