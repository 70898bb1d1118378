"""The secret of a room's draws: made once, stored sealed, opened only to compute a link."""

import asyncio
from dataclasses import dataclass

from mymozhem.auth.keys import Keys
from mymozhem.contract import fair

from .tables import RoomRow


@dataclass(frozen=True)
class SealedChain:
    """What a room keeps of its chain: the sealed secret, and the anchor that is published."""

    secret: bytes
    anchor: str


async def new_chain(keys: Keys, room_id: str) -> SealedChain:
    """Make the secret of a room, sealed so that it opens for that room only.

    The anchor takes 65,536 hashes, so it is computed in a thread. Call it outside a transaction.
    """
    secret = fair.new_secret()
    anchor = await asyncio.to_thread(fair.anchor, secret)
    return SealedChain(keys.seal(secret, aad=room_id.encode()), anchor.hex())


async def link_of(keys: Keys, room: RoomRow, index: int) -> bytes:
    """Return a link of the room's chain; keep it from everybody until its draw is over.

    Raises SealBroken where the secret cannot be opened, ChainExhausted beyond the last link.
    """
    secret = keys.unseal(room.draw_secret, aad=room.id.encode())
    return await asyncio.to_thread(fair.link, secret, index)
