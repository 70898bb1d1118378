"""Prizes: what can be won in a room."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import update

from mymozhem.auth.principal import Principal
from mymozhem.contract import Change, ChangeKind, JsonObject
from mymozhem.contract.events import PrizeCreated, PrizeDeleted, PrizeUpdated
from mymozhem.errors import Conflict
from mymozhem.rooms.core.membership import STAFF, require_role
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction, room_transaction
from mymozhem.rooms.tables.prizes import PrizeRow

from .winners import find_prize


@dataclass(frozen=True)
class NewPrize:
    """A prize to be added; `quantity` in units."""

    name: str
    quantity: int = 1
    description: str = ""
    image_url: str | None = None
    metadata: JsonObject = field(default_factory=dict)


class QuantityTaken(Conflict):
    """More units of this prize are already won or reserved."""

    default_code = "QUANTITY_TAKEN"


async def create_prize(
    services: Services, room_id: str, caller: Principal, new: NewPrize
) -> PrizeRow:
    """Add a prize to a room that has not ended; for organizers."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        await require_role(transaction.session, room_id, caller, roles=STAFF)
        return await add_prize(transaction, new)


async def add_prize(transaction: RoomTransaction, new: NewPrize) -> PrizeRow:
    """Add a prize in the caller's transaction."""
    _require_not_ended(transaction)
    prize = PrizeRow(
        room_id=transaction.room.id,
        name=new.name,
        description=new.description,
        image_url=new.image_url,
        quantity=new.quantity,
        quantity_remaining=new.quantity,
        data=new.metadata,
        created_at=transaction.now,
        updated_at=transaction.now,
    )
    transaction.session.add(prize)
    await transaction.session.flush()
    transaction.record(PrizeCreated(prize_id=prize.id, quantity=prize.quantity))
    transaction.changed(Change(kind=ChangeKind.PRIZE, what="created", prize_id=prize.id))
    return prize


async def change_prize(
    services: Services,
    room_id: str,
    caller: Principal,
    prize_id: str,
    changes: dict[str, object],
) -> PrizeRow:
    """Change a prize; QuantityTaken if its quantity would fall below what is won or reserved.

    `changes` may name `name`, `description`, `image_url`, `quantity` and `data`.
    """
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        await require_role(transaction.session, room_id, caller, roles=STAFF)
        _require_not_ended(transaction)
        prize = await find_prize(transaction, prize_id)
        if not changes:
            return prize
        await _change(transaction, prize, dict(changes))
        transaction.record(
            PrizeUpdated(prize_id=prize.id, fields=tuple(sorted(changes)), quantity=prize.quantity)
        )
        transaction.changed(Change(kind=ChangeKind.PRIZE, what="updated", prize_id=prize.id))
        return prize


async def delete_prize(
    services: Services, room_id: str, caller: Principal, prize_id: str
) -> datetime:
    """Delete a prize, and return when; QuantityTaken if units of it are won or reserved."""
    async with room_transaction(services, room_id, actor_id=caller.user_id) as transaction:
        await require_role(transaction.session, room_id, caller, roles=STAFF)
        _require_not_ended(transaction)
        prize = await find_prize(transaction, prize_id)
        if prize.quantity_remaining != prize.quantity:
            raise QuantityTaken
        prize.deleted_at = transaction.now
        transaction.record(PrizeDeleted(prize_id=prize.id))
        transaction.changed(Change(kind=ChangeKind.PRIZE, what="deleted", prize_id=prize.id))
        return transaction.now


async def _change(
    transaction: RoomTransaction, prize: PrizeRow, changes: dict[str, object]
) -> None:
    quantity = changes.pop("quantity", None)
    for name, value in changes.items():
        setattr(prize, name, value)
    prize.updated_at = transaction.now
    await transaction.session.flush()
    if isinstance(quantity, int):
        await _resize(transaction, prize, quantity)


async def _resize(transaction: RoomTransaction, prize: PrizeRow, quantity: int) -> None:
    taken = PrizeRow.quantity - PrizeRow.quantity_remaining
    resized = await transaction.session.execute(
        update(PrizeRow)
        .where(PrizeRow.id == prize.id, taken <= quantity)
        .values(quantity=quantity, quantity_remaining=quantity - taken)
        .returning(PrizeRow.id)
    )
    if resized.first() is None:
        raise QuantityTaken
    await transaction.session.refresh(prize)


def _require_not_ended(transaction: RoomTransaction) -> None:
    if transaction.room.status in ENDED:
        message = "The room has ended; its prizes stay as they are."
        raise Conflict(message, code="ROOM_ENDED")
