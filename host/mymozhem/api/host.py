"""What the routes of one host work with; put together in the composition root."""

from dataclasses import dataclass

from mymozhem.auth.accounts import Accounts
from mymozhem.auth.tokens import Tokens
from mymozhem.rooms.reading.rooms import RoomReader
from mymozhem.rooms.services import Services

from .limits import Limits


@dataclass(frozen=True)
class Host:
    """The parts of a running host that the edge needs."""

    services: Services
    tokens: Tokens
    accounts: Accounts
    limits: Limits
    reader: RoomReader
