"""Prizes: what can be won in a room."""

from dataclasses import dataclass, field

from sqlalchemy import update

from mymozhem.auth.principal import Principal
from mymozhem.contract import Change, ChangeKind, JsonObject
from mymozhem.contract.events import PrizeCreated, PrizeDeleted, PrizeUpdated
from mymozhem.errors import Conflict
from mymozhem.rooms.core.membership import HELPERS, require_seat
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED, RoomWriter, write_room
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
    """More units of this prize are won or reserved already."""

    default_code = "QUANTITY_TAKEN"


async def create_prize(
    services: Services, room_id: str, caller: Principal, new: NewPrize
) -> PrizeRow:
    """Add a prize to a room that has not ended; for organizers."""
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        await require_seat(writer.session, room_id, caller, roles=HELPERS)
        return await add_prize(writer, new)


async def add_prize(writer: RoomWriter, new: NewPrize) -> PrizeRow:
    """Add a prize in a transaction that is open."""
    _refuse_ended(writer)
    prize = PrizeRow(
        room_id=writer.room.id,
        name=new.name,
        description=new.description,
        image_url=new.image_url,
        quantity=new.quantity,
        quantity_remaining=new.quantity,
        data=new.metadata,
        created_at=writer.now,
        updated_at=writer.now,
    )
    writer.session.add(prize)
    await writer.session.flush()
    writer.record(PrizeCreated(prize_id=prize.id, quantity=prize.quantity))
    writer.changed(Change(kind=ChangeKind.PRIZE, what="created", prize_id=prize.id))
    return prize


async def change_prize(
    services: Services,
    room_id: str,
    caller: Principal,
    prize_id: str,
    changes: dict[str, object],
) -> PrizeRow:
    """Change a prize; QuantityTaken where its quantity would fall below what is won or reserved.

    `changes` may name `name`, `description`, `image_url`, `quantity` and `data`.
    """
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        await require_seat(writer.session, room_id, caller, roles=HELPERS)
        _refuse_ended(writer)
        prize = await find_prize(writer, prize_id)
        if not changes:
            return prize
        await _change(writer, prize, dict(changes))
        writer.record(
            PrizeUpdated(prize_id=prize.id, fields=tuple(sorted(changes)), quantity=prize.quantity)
        )
        writer.changed(Change(kind=ChangeKind.PRIZE, what="updated", prize_id=prize.id))
        return prize


async def delete_prize(services: Services, room_id: str, caller: Principal, prize_id: str) -> None:
    """Take a prize out; QuantityTaken where units of it are won or reserved."""
    async with write_room(services, room_id, actor_id=caller.user_id) as writer:
        await require_seat(writer.session, room_id, caller, roles=HELPERS)
        _refuse_ended(writer)
        prize = await find_prize(writer, prize_id)
        if prize.quantity_remaining != prize.quantity:
            raise QuantityTaken
        prize.deleted_at = writer.now
        writer.record(PrizeDeleted(prize_id=prize.id))
        writer.changed(Change(kind=ChangeKind.PRIZE, what="deleted", prize_id=prize.id))


async def _change(writer: RoomWriter, prize: PrizeRow, changes: dict[str, object]) -> None:
    quantity = changes.pop("quantity", None)
    for name, value in changes.items():
        setattr(prize, name, value)
    prize.updated_at = writer.now
    await writer.session.flush()
    if isinstance(quantity, int):
        await _resize(writer, prize, quantity)


async def _resize(writer: RoomWriter, prize: PrizeRow, quantity: int) -> None:
    taken = PrizeRow.quantity - PrizeRow.quantity_remaining
    resized = await writer.session.execute(
        update(PrizeRow)
        .where(PrizeRow.id == prize.id, taken <= quantity)
        .values(quantity=quantity, quantity_remaining=quantity - taken)
        .returning(PrizeRow.id)
    )
    if resized.first() is None:
        raise QuantityTaken
    await writer.session.refresh(prize)


def _refuse_ended(writer: RoomWriter) -> None:
    if writer.room.status in ENDED:
        message = "The room has ended; its prizes stay as they are."
        raise Conflict(message, code="ROOM_ENDED")
