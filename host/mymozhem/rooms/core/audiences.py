"""Audiences of an event: a level, or single participants of the room."""

from mymozhem.contract import Level

from .participant_lookup import require_participants
from .transaction import RoomTransaction


async def streams_for(transaction: RoomTransaction, to: Level | tuple[str, ...]) -> tuple[str, ...]:
    """Return the streams of the log that an audience reads; NotFound for strangers to the room."""
    if isinstance(to, Level):
        return (to,)
    await require_participants(transaction, to)
    return to
