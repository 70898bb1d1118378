"""Finishes the draws of an app like an organizer: they are run and revealed, or voided."""

from sqlalchemy import select

from mymozhem.contract import DrawStatus
from mymozhem.errors import MymozhemError
from mymozhem.rooms.core.access import write_as
from mymozhem.rooms.draws import commands
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.rooms import RoomRow

from .harness import HostHarness

_OVER = (DrawStatus.REVEALED, DrawStatus.VOIDED)
_ROUTE = "POST /rooms/{id}/draws/{did}"


async def finish_draws(host: HostHarness, room: RoomRow) -> None:
    """Finish every draw of a room: run and reveal it if possible, otherwise void it."""
    async with host.services.database.read() as session:
        rows = await session.scalars(
            select(DrawRow.id).where(DrawRow.room_id == room.id, DrawRow.status.not_in(_OVER))
        )
        waiting = list(rows)
    for draw_id in waiting:
        for step in ("run", "reveal", "void"):
            await _take(host, room, draw_id, step)


async def _take(host: HostHarness, room: RoomRow, draw_id: str, step: str) -> None:
    """Take a step of a draw; a step that is not possible now changes nothing."""
    services, organizer = host.services, host.organizer
    try:
        async with write_as(services, room.id, organizer, f"{_ROUTE}/{step}") as writer:
            draw = await commands.by_id(writer, draw_id)
            if step == "run":
                await commands.run(writer, draw)
            elif step == "reveal":
                await commands.reveal(writer, draw)
            elif draw.status not in _OVER:
                await commands.void(writer, draw, "The game is over.")
    except MymozhemError:
        return
    await host.settle()
