"""Use cases of organizers on winners, each in its own transaction."""

from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject
from mymozhem.rooms.core.access import write_as
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.prizes import WinnerRow

from . import winners


async def create_winner(
    services: Services,
    room_id: str,
    caller: Principal,
    *,
    participant_id: str,
    prize_id: str,
    metadata: JsonObject,
) -> WinnerRow:
    """Award a unit of a prize by hand. Raises: see `winners.award`."""
    async with write_as(services, room_id, caller, "POST /rooms/{id}/winners") as transaction:
        return await winners.award(
            transaction, participant_id=participant_id, prize_id=prize_id, metadata=metadata
        )


async def revoke_winner(
    services: Services, room_id: str, caller: Principal, winner_id: str, *, reason: str | None
) -> None:
    """Revoke a win. Raises: see `winners.revoke`."""
    endpoint = "DELETE /rooms/{id}/winners/{wid}"
    async with write_as(services, room_id, caller, endpoint) as transaction:
        await winners.revoke(transaction, winner_id, reason=reason)


async def fulfill_winner(
    services: Services, room_id: str, caller: Principal, winner_id: str
) -> None:
    """Mark a prize as handed over. Raises: see `winners.fulfill`."""
    endpoint = "POST /rooms/{id}/winners/{wid}/fulfill"
    async with write_as(services, room_id, caller, endpoint) as transaction:
        await winners.fulfill(transaction, winner_id)


async def move_winner(
    services: Services,
    room_id: str,
    caller: Principal,
    winner_id: str,
    *,
    prize_id: str,
    reason: str,
) -> None:
    """Give a winner another prize instead. Raises: see `winners.move`."""
    endpoint = "POST /rooms/{id}/winners/{wid}/move"
    async with write_as(services, room_id, caller, endpoint) as transaction:
        await winners.move(transaction, winner_id, prize_id=prize_id, reason=reason)
