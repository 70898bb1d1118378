"""The secret of a room's draws: stored sealed, opened only to compute a link."""

import asyncio

from mymozhem.auth.keys import Keys
from mymozhem.contract import fair
from mymozhem.rooms.tables.rooms import RoomRow


async def link_of(keys: Keys, room: RoomRow, index: int) -> bytes:
    """Return a link of the room's chain; never disclose it before its draw is over.

    Raises SealBroken if the secret cannot be opened, and ChainExhausted after the last link.
    """
    secret = keys.unseal(room.draw_secret, aad=room.id.encode())
    return await asyncio.to_thread(fair.link, secret, index)
