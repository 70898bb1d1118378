"""Prizes, as callers see them."""

from sqlalchemy import Select, func, select

from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject, WinnerStatus
from mymozhem.errors import NotFound
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow

from .base import Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page

PRIZES_BY: Columns = {
    "id": PrizeRow.id,
    "name": PrizeRow.name,
    "quantity": PrizeRow.quantity,
    "createdAt": PrizeRow.created_at,
}


class PrizeView(View):
    """A prize; `quantityRemaining` is what is neither won nor reserved by a committed draw.

    `winnerCount` counts the wins that are public and not revoked.
    """

    id: str
    room_id: str
    name: str
    description: str
    image_url: str | None
    quantity: int
    quantity_remaining: int
    winner_count: int
    metadata: JsonObject
    created_at: Timestamp
    updated_at: Timestamp


class PrizeName(View):
    """A prize by name."""

    id: str
    name: str
    description: str
    image_url: str | None


async def prizes(
    services: Services,
    room_id: str,
    caller: Principal | None,
    part: PageRequest,
    *,
    include_exhausted: bool = True,
) -> ResultPage[PrizeView]:
    """Return the prizes of a room, those without any unit left only if they are included."""
    endpoint = "GET /rooms/{id}/prizes"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        rows = _prizes(membership)
        if not include_exhausted:
            rows = rows.where(PrizeRow.quantity_remaining > 0)
        found, total = await fetch_page(session, rows, part, PRIZES_BY)
    return ResultPage([prize_view(row, wins) for row, wins in found], total)


async def prize(
    services: Services, room_id: str, caller: Principal | None, prize_id: str
) -> PrizeView:
    """Return one prize; NotFound for one from another room."""
    endpoint = "GET /rooms/{id}/prizes/{prizeId}"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        found = (await session.execute(_prizes(membership).where(PrizeRow.id == prize_id))).first()
    if found is None:
        raise NotFound("There is no such prize.", code="PRIZE_NOT_FOUND")
    return prize_view(*found)


def prize_name(row: PrizeRow) -> PrizeName:
    """Return a prize by name."""
    return PrizeName(id=row.id, name=row.name, description=row.description, image_url=row.image_url)


def prize_view(row: PrizeRow, winner_count: int) -> PrizeView:
    """Return a prize; everybody who sees it sees the same."""
    return PrizeView(
        id=row.id,
        room_id=row.room_id,
        name=row.name,
        description=row.description,
        image_url=row.image_url,
        quantity=row.quantity,
        quantity_remaining=row.quantity_remaining,
        winner_count=winner_count,
        metadata=row.data,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _prizes(membership: Membership) -> Select[PrizeRow, int]:
    wins = (
        select(func.count())
        .where(
            WinnerRow.prize_id == PrizeRow.id,
            WinnerRow.sealed.is_(False),
            WinnerRow.status != WinnerStatus.REVOKED,
            WinnerRow.deleted_at.is_(None),
        )
        .correlate(PrizeRow)
        .scalar_subquery()
    )
    return select(PrizeRow, wins).where(
        PrizeRow.room_id == membership.room.id, PrizeRow.deleted_at.is_(None)
    )
