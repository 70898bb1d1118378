"""Read one room as its caller sees it, or list the rooms that a caller may know of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.concurrency.keyed_batcher import BatchQueue
from mymozhem.contract import JsonObject, ParticipantStatus, PersonKind, Role, RoomStatus
from mymozhem.db.unit_of_work import Database
from mymozhem.manifests.model import Manifest
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.core.membership import Membership, role_of, room_not_found
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow
from mymozhem.rooms.tables.rooms import RoomRow

from .base import to_json
from .paging import Columns, PageRequest, ResultPage, Totals, count, ordering
from .room_models import RoomView, room_view

SORTED_BY: Columns = {
    "id": RoomRow.id,
    "name": RoomRow.name,
    "status": RoomRow.status,
    "createdAt": RoomRow.created_at,
    "updatedAt": RoomRow.updated_at,
}
_LIVE = RoomRow.deleted_at.is_(None)

#: lookups of single rooms that one read answers
MAX_LOOKUPS = 200


@dataclass(frozen=True)
class RoomFilter:
    """Filters of rooms; None and False leave a filter out.

    `mine` selects the caller's rooms, `only_app` those of the app on whose behalf they call.
    """

    status: RoomStatus | None = None
    app_id: str | None = None
    created_by: str | None = None
    is_public: bool | None = None
    mine: bool = False
    only_app: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the filter as conditions on the rows."""
        given: list[tuple[Any, object]] = [
            (RoomRow.status, self.status),
            (RoomRow.app_id, self.app_id),
            (RoomRow.created_by, self.created_by),
            (RoomRow.is_public, self.is_public),
            (RoomRow.app_id, self.only_app),
        ]
        return [_LIVE, *(column == value for column, value in given if value is not None)]


@dataclass(frozen=True)
class RoomLookup:
    """A caller and a room; no caller if the token is for another room."""

    room_id: str
    user_id: str | None
    kind: PersonKind

    @classmethod
    def by(cls, room_id: str, caller: Principal | None) -> "RoomLookup":
        """Return the lookup of a caller."""
        if caller is None or caller.room_id not in (None, room_id):
            return cls(room_id, None, PersonKind.GUEST)
        return cls(room_id, caller.user_id, caller.kind)


@dataclass(frozen=True)
class ShownRoom:
    """A room as a role sees it, and its JSON, made once for all callers with that role."""

    room: RoomView
    document: JsonObject


async def app_of_room(database: Database, room_id: str) -> str | None:
    """Return the id of a room's app; None if there is no such room."""
    async with database.read() as session:
        return await session.scalar(select(RoomRow.app_id).where(RoomRow.id == room_id, _LIVE))


class RoomReader:
    """Reads rooms as their callers may see them."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.totals = Totals()
        self._lookups: BatchQueue[RoomLookup, ShownRoom] = BatchQueue(
            self._answer, max_size=MAX_LOOKUPS
        )

    @property
    def catalog(self) -> Catalog:
        """The apps, with the manifests of every version that a room is locked to."""
        return self.services.catalog

    async def room(self, room_id: str, caller: Principal | None) -> ShownRoom:
        """Return one room; a card if the caller is a stranger to a public room, else `NotFound`."""
        return await self._lookups.submit(RoomLookup.by(room_id, caller))

    async def _answer(self, asked: Sequence[RoomLookup]) -> dict[RoomLookup, ShownRoom | Exception]:
        ids = sorted({each.room_id for each in asked})
        users = sorted({each.user_id for each in asked if each.user_id})
        async with self.services.database.read() as session:
            rooms = await _rooms_by_id(session, ids)
            own = await _rows_of(session, ids, users)
            admins = await _admins(session, users)
        shown: dict[tuple[str, Role | None], ShownRoom] = {}
        answers: dict[RoomLookup, ShownRoom | Exception] = {}
        for each in asked:
            row = own.get((each.room_id, each.user_id or ""))
            found = rooms.get(each.room_id)
            if found is None:
                answers[each] = room_not_found()
                continue
            room, organizer, prizes = found
            role = role_of(row, each.user_id in admins)
            if not (role or row or room.is_public):
                answers[each] = room_not_found()
                continue
            if (room.id, role) not in shown:
                membership = Membership(room, each.user_id, each.kind, role, row)
                view = room_view(
                    membership, self._manifest(room), organizer=organizer, prize_count=prizes
                )
                shown[room.id, role] = ShownRoom(view, to_json(view))
            answers[each] = shown[room.id, role]
        return answers

    async def rooms(
        self, caller: Principal | None, wanted: RoomFilter, part: PageRequest
    ) -> ResultPage[RoomView]:
        """Return the rooms that the caller may know of: public and own ones, or all to admins."""
        async with self.services.database.read() as session:
            admin = await _is_admin(session, caller)
            branches = _branches(caller, wanted, admin=admin)
            total = await self._total(session, branches, wanted)
            found = await session.scalars(_page(branches, part))
            return ResultPage(await self._seen(session, found.all(), caller, admin=admin), total)

    def _manifest(self, room: RoomRow) -> Manifest:
        return self.catalog.manifest(room.app_id, room.app_manifest_version)

    async def _total(
        self, session: AsyncSession, branches: "Sequence[_Branch]", wanted: RoomFilter
    ) -> int:
        total = 0
        for branch in branches:
            key = (branch.key, wanted)

            async def counted(rows: Select[Any] = branch.rows) -> int:
                return await count(session, rows)

            total += await self.totals.of(key, counted)
        return total

    async def _seen(
        self,
        session: AsyncSession,
        rooms: Sequence[RoomRow],
        caller: Principal | None,
        *,
        admin: bool,
    ) -> list[RoomView]:
        ids = [room.id for room in rooms]
        seats = await _own_rows(session, ids, caller)
        prizes = await _prize_counts(session, ids)
        organizers = await _people(session, {room.created_by for room in rooms})
        seen = []
        for room in rooms:
            own = seats.get(room.id)
            membership = Membership(
                room,
                caller.user_id if caller else None,
                caller.kind if caller else PersonKind.GUEST,
                role_of(own, admin),
                own,
            )
            seen.append(
                room_view(
                    membership,
                    self._manifest(room),
                    organizer=organizers[room.created_by],
                    prize_count=prizes.get(room.id, 0),
                    whole=False,
                )
            )
        return seen


@dataclass(frozen=True)
class _Branch:
    """A list of rooms in the order of an index; two branches never contain the same room."""

    key: str
    rows: Select[Any]


def _branches(caller: Principal | None, wanted: RoomFilter, *, admin: bool) -> list[_Branch]:
    conditions = wanted.conditions()
    if admin and not wanted.mine:
        return [_Branch("all", select(RoomRow.id).where(*conditions))]
    public = _Branch("public", select(RoomRow.id).where(RoomRow.is_public, *conditions))
    if caller is None:
        return [] if wanted.mine else [public]
    inside = select(RoomRow.id).join(ParticipantRow, ParticipantRow.room_id == RoomRow.id)
    inside = inside.where(
        ParticipantRow.user_id == caller.user_id,
        ParticipantRow.status == ParticipantStatus.ACTIVE,
        *conditions,
    )
    if caller.room_id is not None:
        inside = inside.where(RoomRow.id == caller.room_id)
    if wanted.mine:
        return [_Branch(f"mine:{caller.user_id}", inside)]
    # Wrapped, so that no engine goes through all private rooms instead of the caller's few.
    private = func.coalesce(RoomRow.is_public, false()).is_(False)
    return [public, _Branch(f"own:{caller.user_id}", inside.where(private))]


def _page(branches: Sequence[_Branch], part: PageRequest) -> Select[RoomRow]:
    """Merge the first rooms of each branch into a page, so that nothing is sorted as a whole."""
    sort = part.sort or ("-createdAt",)
    if not branches:
        return select(RoomRow).where(RoomRow.id.is_(None))
    first = [
        branch.rows.order_by(*ordering(sort, SORTED_BY)).limit(part.offset + part.limit).subquery()
        for branch in branches
    ]
    ids = union_all(*(select(each.c.id) for each in first)).subquery()
    merged = select(RoomRow).join(ids, ids.c.id == RoomRow.id)
    return merged.order_by(*ordering(sort, SORTED_BY)).offset(part.offset).limit(part.limit)


async def _rooms_by_id(
    session: AsyncSession, ids: Sequence[str]
) -> dict[str, tuple[RoomRow, UserRow, int]]:
    prizes = (
        select(func.count())
        .where(PrizeRow.room_id == RoomRow.id, PrizeRow.deleted_at.is_(None))
        .correlate(RoomRow)
        .scalar_subquery()
    )
    found = await session.execute(
        select(RoomRow, UserRow, prizes)
        .join(UserRow, UserRow.id == RoomRow.created_by)
        .where(RoomRow.id.in_(ids), _LIVE)
    )
    return {room.id: (room, organizer, count_) for room, organizer, count_ in found}


async def _rows_of(
    session: AsyncSession, room_ids: Sequence[str], user_ids: Sequence[str]
) -> dict[tuple[str, str], ParticipantRow]:
    if not user_ids:
        return {}
    found = await session.scalars(
        select(ParticipantRow).where(
            ParticipantRow.user_id.in_(user_ids), ParticipantRow.room_id.in_(room_ids)
        )
    )
    return {(row.room_id, row.user_id): row for row in found}


async def _admins(session: AsyncSession, user_ids: Sequence[str]) -> set[str]:
    if not user_ids:
        return set()
    found = await session.scalars(
        select(UserRow.id).where(
            UserRow.id.in_(user_ids), UserRow.is_admin, UserRow.deleted_at.is_(None)
        )
    )
    return set(found)


async def _is_admin(session: AsyncSession, caller: Principal | None) -> bool:
    if caller is None or caller.kind is PersonKind.GUEST:
        return False
    person = await session.get(UserRow, caller.user_id)
    return person is not None and person.deleted_at is None and person.is_admin


async def _own_rows(
    session: AsyncSession, room_ids: Sequence[str], caller: Principal | None
) -> dict[str, ParticipantRow]:
    if caller is None:
        return {}
    mine = [each for each in room_ids if caller.room_id in (None, each)]
    found = await session.scalars(
        select(ParticipantRow).where(
            ParticipantRow.user_id == caller.user_id, ParticipantRow.room_id.in_(mine)
        )
    )
    return {row.room_id: row for row in found}


async def _prize_counts(session: AsyncSession, room_ids: Sequence[str]) -> dict[str, int]:
    found = await session.execute(
        select(PrizeRow.room_id, func.count())
        .where(PrizeRow.room_id.in_(room_ids), PrizeRow.deleted_at.is_(None))
        .group_by(PrizeRow.room_id)
    )
    return dict(found.all())


async def _people(session: AsyncSession, ids: set[str]) -> dict[str, UserRow]:
    found = await session.scalars(select(UserRow).where(UserRow.id.in_(ids)))
    return {row.id: row for row in found}
