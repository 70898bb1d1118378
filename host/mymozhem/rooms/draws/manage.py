"""Use cases of organizers on draws, each in its own transaction."""

from collections.abc import Collection, Mapping, Sequence

from mymozhem.auth.principal import Principal
from mymozhem.contract import fair
from mymozhem.rooms.core.access import write_as
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.draws import DrawRow

from . import commands
from .commands import DrawRequest

_DRAW = "POST /rooms/{id}/draws/{did}"


async def create_draw(
    services: Services, room_id: str, caller: Principal, request: DrawRequest
) -> DrawRow:
    """Request a draw. Raises: see `commands.request`."""
    async with write_as(services, room_id, caller, "POST /rooms/{id}/draws") as transaction:
        return await commands.request(transaction, request)


async def run_draw(
    services: Services,
    room_id: str,
    caller: Principal,
    draw_id: str,
    public_inputs: Sequence[fair.PublicValue] = (),
    confirm: Sequence[str] | None = None,
) -> None:
    """Run a draw. Raises: see `commands.run`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/run") as transaction:
        draw = await commands.by_id(transaction, draw_id)
        await commands.run(transaction, draw, public_inputs, confirm)


async def reveal_draw(
    services: Services,
    room_id: str,
    caller: Principal,
    draw_id: str,
    prizes: Collection[str] | None,
    *,
    count: int | None = None,
) -> None:
    """Reveal the winners of some prizes, the next items, or all. Raises: see `commands.reveal`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/reveal") as transaction:
        draw = await commands.by_id(transaction, draw_id)
        await commands.reveal(transaction, draw, prizes, count=count)


async def void_draw(
    services: Services, room_id: str, caller: Principal, draw_id: str, reason: str
) -> None:
    """Void a draw. Raises: see `commands.void`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/void") as transaction:
        await commands.void(transaction, await commands.by_id(transaction, draw_id), reason)


async def retry_draw(
    services: Services,
    room_id: str,
    caller: Principal,
    draw_id: str,
    *,
    platform: bool,
    formats: Mapping[str, fair.ValueFormat] | None = None,
) -> None:
    """Retry a held draw. Raises: see `commands.retry`."""
    async with write_as(services, room_id, caller, f"{_DRAW}/retry") as transaction:
        draw = await commands.by_id(transaction, draw_id)
        await commands.retry(transaction, draw, platform=platform, formats=formats or {})
