"""Units of prizes: taken by one guarded UPDATE, so that no quantity falls below zero."""

from sqlalchemy import ColumnElement, update

from mymozhem.errors import Conflict, NotFound
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.prizes import PrizeRow


class PrizeExhausted(Conflict):
    """There is not enough left of this prize."""

    default_code = "PRIZE_EXHAUSTED"


async def reserve(transaction: RoomTransaction, prize_id: str, count: int) -> None:
    """Reserve units; PrizeExhausted if not enough are left."""
    enough = (PrizeRow.deleted_at.is_(None)) & (PrizeRow.quantity_remaining >= count)
    if not await _shift(transaction, prize_id, -count, enough):
        raise PrizeExhausted(details={"prizeId": prize_id, "wanted": count})


async def give_back(transaction: RoomTransaction, prize_id: str, count: int) -> None:
    """Return units that were reserved or won; NotFound if the room has no such prize."""
    if count and not await _shift(transaction, prize_id, count, PrizeRow.id == prize_id):
        message = "There is no such prize in this room."
        raise NotFound(message, code="PRIZE_NOT_FOUND", details={"prizeId": prize_id})


async def _shift(
    transaction: RoomTransaction, prize_id: str, units: int, guard: ColumnElement[bool]
) -> bool:
    shifted = await transaction.session.execute(
        update(PrizeRow)
        .where(PrizeRow.id == prize_id, PrizeRow.room_id == transaction.room.id, guard)
        .values(quantity_remaining=PrizeRow.quantity_remaining + units, updated_at=transaction.now)
        .returning(PrizeRow.id)
    )
    return shifted.first() is not None
