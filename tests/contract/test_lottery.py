"""The lottery in a real house: people in reserve move up, over every transport."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import mymozhem_lottery
from mymozhem.clock import Clock, HeldClock
from mymozhem.contract import Level, WinnerStatus, fair
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Refused
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.record import VisibleDraw, find_draw, record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from tests.support.host import HostHarness
from tests.support.transports import HOUSES

pytestmark = pytest.mark.both_engines


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
async def host(
    transport: str, database: Database, clock: Clock, tmp_path: Path
) -> AsyncIterator[HostHarness]:
    apps = {"lottery": mymozhem_lottery}
    async with HOUSES[transport](database, clock, tmp_path, apps) as host:
        yield host


@dataclass
class Fair:
    """A room with a lottery, and what its organizer does."""

    host: HostHarness
    jobs: Jobs
    room: RoomRow

    async def do(self, action: str, **payload: Any) -> Any:
        services = self.host.services
        acted = await perform(services, self.room.id, self.host.organizer, action, payload)
        await self.jobs.run_due()
        return acted.reply

    async def draw(self, **payload: Any) -> VisibleDraw:
        reply = await self.do("draw", **payload)
        return await self.seen(reply["key"])

    async def seen(self, key: str) -> VisibleDraw:
        async with self.host.services.database.read() as session:
            found = select(DrawRow.id).where(DrawRow.room_id == self.room.id, DrawRow.key == key)
            draw_id = (await session.scalars(found)).one()
            return await find_draw(session, self.room.id, draw_id, level=Level.PUBLIC)

    async def wins(self) -> list[WinnerRow]:
        async with self.host.services.database.read() as session:
            found = select(WinnerRow).where(WinnerRow.room_id == self.room.id)
            return list(await session.scalars(found.order_by(WinnerRow.created_at, WinnerRow.id)))

    async def standing(self) -> list[WinnerRow]:
        return [win for win in await self.wins() if win.status is not WinnerStatus.REVOKED]

    async def code(self, participant_id: str) -> Any:
        async with self.host.services.database.read() as session:
            return (await session.get_one(ParticipantRow, participant_id)).own.get("code")

    async def moved_up(self) -> Any:
        async with self.host.services.database.read() as session:
            return (await session.get_one(RoomStateRow, self.room.id)).organizer.get("movedUp")


async def make_fair(host: HostHarness, guests: int, **settings: Any) -> Fair:
    room = await host.start("lottery", settings=settings)
    await host.guests(room, guests)
    return Fair(host, Jobs(host.services), room)


def people(entries: Any) -> list[str]:
    return [each["participantId"] for each in entries]


async def test_the_next_one_in_reserve_gets_an_absent_winners_prize_and_a_code(host):
    fairground = await make_fair(host, 8, reserves=3)
    prize = await host.prize(fairground.room, quantity=2)
    draw = await fairground.draw()
    first, second, third = people(draw.reserves)
    absent, _ = await fairground.standing()
    reply = await fairground.do("moveUp", winnerId=absent.id, reason="Not here.")
    assert reply == {"participantId": first, "prizeId": prize, "left": 2}
    assert first in {win.participant_id for win in await fairground.standing()}
    assert len(await fairground.standing()) == 2
    handed = await fairground.do("handOver", code=await fairground.code(first))
    assert (handed["participantId"], handed["prizes"]) == (first, [prize])
    [told] = await host.events(fairground.room.id, "lottery:moved_up")
    assert told.payload == {
        "drawId": draw.id,
        "winnerId": absent.id,
        "participantId": first,
        "prizeId": prize,
    }
    assert await fairground.moved_up() == {draw.id: {prize: [first]}}
    for expected in (second, third):
        absent = next(w for w in await fairground.standing() if w.participant_id != first)
        reply = await fairground.do("moveUp", winnerId=absent.id)
        assert reply["participantId"] == expected
    absent = next(w for w in await fairground.standing() if w.participant_id == third)
    with pytest.raises(Refused) as refused:
        await fairground.do("moveUp", winnerId=absent.id)
    assert refused.value.code == "RESERVES_USED_UP"
    again = await fairground.do("redraw", winnerId=absent.id)
    drawn = await fairground.seen(again["key"])
    assert not set(people(drawn.picks)) & {first, second, third, *people(draw.picks)}
    for each in (draw, drawn):
        document = await record(host.services, fairground.room.id, each.id)
        assert fair.verify(json.loads(document)).ok


async def test_two_who_are_absent_are_followed_by_two_people(host):
    fairground = await make_fair(host, 8, reserves=4)
    for name in ("Bicycle", "Kettle"):
        await host.prize(fairground.room, name=name)
    draw = await fairground.draw()
    absent = [win.id for win in await fairground.standing()]
    moves = (fairground.do("moveUp", winnerId=each) for each in absent)
    replies = await asyncio.gather(*moves)
    assert {each["participantId"] for each in replies} == set(people(draw.reserves)[:2])


async def test_reserves_of_a_draw_are_nobodys_before_its_last_prize_is_shown(host):
    fairground = await make_fair(host, 8, reserves=2, reveal="manual")
    prizes = [await host.prize(fairground.room, name=name) for name in ("Bicycle", "Kettle")]
    draw = await fairground.draw()
    async with room_transaction(host.services, fairground.room.id) as writer:
        row = await commands.by_id(writer, draw.id)
        await commands.reveal(writer, row, prizes[:1])
    await fairground.jobs.run_due()
    [shown] = [win for win in await fairground.wins() if not win.sealed]
    with pytest.raises(Refused) as refused:
        await fairground.do("moveUp", winnerId=shown.id)
    assert refused.value.code == "NO_RESERVES"


async def test_where_people_may_win_several_prizes_the_line_of_that_prize_moves_up(host):
    fairground = await make_fair(host, 3, reserves=2, allowMultipleWins=True)
    prizes = [await host.prize(fairground.room, name=name) for name in ("Bicycle", "Kettle")]
    draw = await fairground.draw()
    for prize in prizes:
        line = [each["participantId"] for each in draw.reserves if each["prizeId"] == prize]
        [win] = [win for win in await fairground.standing() if win.prize_id == prize]
        assert (await fairground.do("moveUp", winnerId=win.id))["participantId"] == line[0]


@pytest.mark.parametrize(
    ("who", "payload", "entries"),
    [
        ("everyone", {}, 3),
        ("everyone", {"onlyPresent": True}, 1),
        ("present", {}, 1),
        ("present", {"onlyPresent": False}, 3),
    ],
)
async def test_a_draw_is_among_people_present_where_it_or_the_setting_says_so(
    host, clock, who, payload, entries
):
    fairground = await make_fair(host, 2, presence={"who": who, "withinSeconds": 60})
    clock.advance(timedelta(minutes=5))
    await host.guest(fairground.room, "Late")
    await host.prize(fairground.room)
    assert (await fairground.draw(**payload)).entry_count == entries
