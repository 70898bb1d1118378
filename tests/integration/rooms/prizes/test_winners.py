"""Prizes and winners: what is there is never given twice."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from mymozhem.contract import WinnerStatus
from mymozhem.contract.events import text_digest
from mymozhem.errors import Conflict, NotFound
from mymozhem.rooms.core.transaction import write_room
from mymozhem.rooms.prizes.manage import change_prize, delete_prize
from mymozhem.rooms.prizes.winners import award, fulfill, move, revoke
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import House

pytestmark = pytest.mark.both_engines


async def give(house: House, room: RoomRow, person: str, prize: str) -> WinnerRow:
    async with write_room(house.services, room.id) as writer:
        return await award(writer, participant_id=person, prize_id=prize, metadata={})


async def left(house: House, prizes: Sequence[str]) -> list[int]:
    async with house.services.database.read() as session:
        return [(await session.get_one(PrizeRow, prize)).quantity_remaining for prize in prizes]


async def test_a_win_takes_a_unit_and_a_revoked_one_returns_it_once(house: House) -> None:
    room = await house.start("bazaar")
    prize, guest = await house.prize(room, 2), await house.guest(room)
    winner = await give(house, room, guest.participant.id, prize)
    assert await left(house, [prize]) == [1]

    for _ in range(2):
        async with write_room(house.services, room.id) as writer:
            revoked = await revoke(writer, winner.id, reason="not here")
        assert revoked.status == WinnerStatus.REVOKED
    assert await left(house, [prize]) == [2]
    events = await house.events(room.id, "winner:selected", "winner:revoked")
    assert [event.type for event in events] == ["winner:selected", "winner:revoked"]
    assert events[1].payload["reasonDigest"] == text_digest("not here")

    assert (await give(house, room, guest.participant.id, prize)).id != winner.id


async def test_nobody_wins_a_prize_twice_and_nothing_is_given_that_is_not_there(
    house: House,
) -> None:
    room = await house.start("bazaar")
    prize = await house.prize(room, 1)
    first, second = await house.guests(room, 2)
    await give(house, room, first.participant.id, prize)
    with pytest.raises(Conflict) as caught:
        await give(house, room, first.participant.id, prize)
    assert caught.value.code == "ALREADY_WON"
    with pytest.raises(Conflict) as caught:
        await give(house, room, second.participant.id, prize)
    assert caught.value.code == "PRIZE_EXHAUSTED"
    assert await left(house, [prize]) == [0]


async def test_people_and_prizes_of_another_room_are_not_found(house: House) -> None:
    room, other = await house.start("bazaar"), await house.start("bazaar")
    mine, theirs = await house.prize(room), await house.prize(other)
    here, there = await house.guest(room), await house.guest(other)
    for person, prize in ((there, mine), (here, theirs)):
        with pytest.raises(NotFound):
            await give(house, room, person.participant.id, prize)


async def test_a_prize_is_handed_out_once_and_not_after_it_was_taken_back(house: House) -> None:
    room = await house.start("bazaar")
    prize, guest = await house.prize(room), await house.guest(room)
    winner = await give(house, room, guest.participant.id, prize)
    for _ in range(2):
        async with write_room(house.services, room.id) as writer:
            assert (await fulfill(writer, winner.id)).status == WinnerStatus.FULFILLED
    assert len(await house.events(room.id, "winner:fulfilled")) == 1
    async with write_room(house.services, room.id) as writer:
        await revoke(writer, winner.id, reason=None)
    with pytest.raises(Conflict) as caught:
        async with write_room(house.services, room.id) as writer:
            await fulfill(writer, winner.id)
    assert caught.value.code == "WINNER_REVOKED"


async def test_a_winner_moves_to_another_prize_visibly(house: House) -> None:
    room = await house.start("bazaar")
    bicycle, mug = await house.prize(room), await house.prize(room, 5, "Mug")
    guest = await house.guest(room)
    winner = await give(house, room, guest.participant.id, bicycle)
    async with write_room(house.services, room.id) as writer:
        await move(writer, winner.id, prize_id=mug, reason="too tall for it")
    assert await left(house, [bicycle, mug]) == [1, 4]
    (event,) = await house.events(room.id, "winner:moved")
    assert event.payload["previousPrizeId"] == bicycle
    assert event.payload["reasonDigest"] == text_digest("too tall for it")
    assert "tall" not in str([each.payload for each in await house.events(room.id)])


async def test_a_prize_shrinks_to_what_is_given_and_no_further(house: House) -> None:
    room = await house.start("bazaar")
    prize = await house.prize(room, 5)
    for guest in await house.guests(room, 2):
        await give(house, room, guest.participant.id, prize)
    shrunk = await change_prize(
        house.services, room.id, house.organizer, prize, {"quantity": 2, "name": "Old bicycle"}
    )
    assert (shrunk.quantity, shrunk.quantity_remaining, shrunk.name) == (2, 0, "Old bicycle")
    with pytest.raises(Conflict) as caught:
        await change_prize(house.services, room.id, house.organizer, prize, {"quantity": 1})
    assert caught.value.code == "QUANTITY_TAKEN"
    with pytest.raises(Conflict):
        await delete_prize(house.services, room.id, house.organizer, prize)
    unused = await house.prize(room)
    await delete_prize(house.services, room.id, house.organizer, unused)
    async with house.services.database.read() as session:
        gone = (await session.scalars(select(PrizeRow).filter_by(id=unused))).one()
    assert gone.deleted_at is not None
