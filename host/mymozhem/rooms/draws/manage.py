"""What people who run a room do with its draws, each in a transaction of its own."""

from collections.abc import Collection, Sequence

from mymozhem.auth.principal import Principal
from mymozhem.rooms.core.access import write_as
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.draws import DrawRow

from . import commands
from .commands import DrawRequest, PublicValue

_DRAW = "POST /rooms/{id}/draws/{did}"


async def create_draw(
    services: Services, room_id: str, caller: Principal, request: DrawRequest
) -> DrawRow:
    """Ask for a draw; see `commands.request` for what is raised."""
    async with write_as(services, room_id, caller, "POST /rooms/{id}/draws") as transaction:
        return await commands.request(transaction, request)


async def run_draw(
    services: Services,
    room_id: str,
    caller: Principal,
    draw_id: str,
    public_inputs: Sequence[PublicValue] = (),
) -> None:
    """Have the winners selected; see `commands.run`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/run") as transaction:
        draw = await commands.by_id(transaction, draw_id)
        await commands.run(transaction, draw, public_inputs)


async def reveal_draw(
    services: Services,
    room_id: str,
    caller: Principal,
    draw_id: str,
    prizes: Collection[str] | None,
) -> None:
    """Make the winners of some prizes public, or of all; see `commands.reveal`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/reveal") as transaction:
        await commands.reveal(transaction, await commands.by_id(transaction, draw_id), prizes)


async def void_draw(
    services: Services, room_id: str, caller: Principal, draw_id: str, reason: str
) -> None:
    """End a draw without winners, in public; see `commands.void`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/void") as transaction:
        await commands.void(transaction, await commands.by_id(transaction, draw_id), reason)


async def retry_draw(
    services: Services, room_id: str, caller: Principal, draw_id: str, *, platform: bool
) -> None:
    """Try a held draw again; see `commands.retry`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/retry") as transaction:
        draw = await commands.by_id(transaction, draw_id)
        await commands.retry(transaction, draw, platform=platform)
