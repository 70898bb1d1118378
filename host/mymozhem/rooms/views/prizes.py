"""Prizes, as callers see them."""

from sqlalchemy import Select, select

from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject
from mymozhem.errors import NotFound
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.prizes import PrizeRow

from .base import Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page

PRIZES_BY: Columns = {
    "id": PrizeRow.id,
    "name": PrizeRow.name,
    "quantity": PrizeRow.quantity,
    "createdAt": PrizeRow.created_at,
}


class PrizeView(View):
    """A prize; `quantityRemaining` is what is neither won nor reserved by a committed draw."""

    id: str
    room_id: str
    name: str
    description: str
    image_url: str | None
    quantity: int
    quantity_remaining: int
    metadata: JsonObject
    created_at: Timestamp
    updated_at: Timestamp


class PrizeName(View):
    """A prize by name."""

    id: str
    name: str


async def prizes(
    services: Services, room_id: str, caller: Principal | None, part: PageRequest
) -> ResultPage[PrizeView]:
    """Return the prizes of a room."""
    endpoint = "GET /rooms/{id}/prizes"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        found, total = await fetch_page(session, _prizes(membership), part, PRIZES_BY)
    return ResultPage([prize_view(row) for (row,) in found], total)


async def prize(
    services: Services, room_id: str, caller: Principal | None, prize_id: str
) -> PrizeView:
    """Return one prize; NotFound for one from another room."""
    endpoint = "GET /rooms/{id}/prizes/{prizeId}"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        found = await session.scalar(_prizes(membership).where(PrizeRow.id == prize_id))
    if found is None:
        raise NotFound("There is no such prize.", code="PRIZE_NOT_FOUND")
    return prize_view(found)


def prize_view(row: PrizeRow) -> PrizeView:
    """Return a prize; everybody in the room sees the same."""
    return PrizeView(
        id=row.id,
        room_id=row.room_id,
        name=row.name,
        description=row.description,
        image_url=row.image_url,
        quantity=row.quantity,
        quantity_remaining=row.quantity_remaining,
        metadata=row.data,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _prizes(membership: Membership) -> Select[PrizeRow]:
    return select(PrizeRow).where(
        PrizeRow.room_id == membership.room.id, PrizeRow.deleted_at.is_(None)
    )
