"""An event with people and prizes, and what a test does with its draws."""

import json
from collections.abc import Callable

from sqlalchemy import select

from mymozhem.contract import Level, PrizeCount, fair
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import VisibleDraw, find_draw, record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness


class Event:
    """An event with people and prizes, and the draws of a test."""

    def __init__(self, host: HostHarness, room: RoomRow, people: list[str]) -> None:
        self.host, self.room, self.people = host, room, people
        self.services = host.services
        self.jobs = Jobs(host.services)

    async def do(self, act: Callable, *arguments: object, **options: object) -> object:
        async with room_transaction(self.services, self.room.id) as transaction:
            return await act(transaction, *arguments, **options)

    async def request(self, *prizes: tuple[str, int], **wish: object) -> str:
        counts = tuple(PrizeCount(prize_id=each, count=count) for each, count in prizes) or None
        return (await self.do(commands.request, DrawRequest(prizes=counts, **wish))).id

    async def act(self, act: Callable, draw_id: str, *arguments: object, **options: object) -> None:
        async with room_transaction(self.services, self.room.id) as transaction:
            draw = await commands.by_id(transaction, draw_id)
            await act(transaction, draw, *arguments, **options)

    async def draw(self, *prizes: tuple[str, int], **wish: object) -> VisibleDraw:
        draw_id = await self.request(*prizes, run=True, **wish)
        await self.jobs.run_due()
        return await self.see(draw_id)

    async def see(self, draw_id: str, level: Level = Level.ORGANIZER) -> VisibleDraw:
        async with self.services.database.read() as session:
            return await find_draw(session, self.room.id, draw_id, level=level)

    async def wins(self, *, sealed: bool = False) -> list[WinnerRow]:
        async with self.services.database.read() as session:
            query = select(WinnerRow).where(WinnerRow.sealed.is_(sealed)).order_by(WinnerRow.id)
            return list(await session.scalars(query))

    async def left(self, prize_id: str) -> int:
        async with self.services.database.read() as session:
            query = select(PrizeRow.quantity_remaining).where(PrizeRow.id == prize_id)
            return await session.scalar(query) or 0

    async def verified(self, draw_id: str) -> fair.Verification:
        document = json.loads(await record(self.services, self.room.id, draw_id))
        found = fair.verify(document)
        assert found.verdict is not fair.Verdict.REFUSED, found.checks
        return found

    async def types(self, *types: str) -> list[str]:
        return [event.type for event in await self.host.events(self.room.id, *types)]
