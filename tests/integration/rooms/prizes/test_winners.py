"""Prizes and winners: what is there is never given twice."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select

from mymozhem.contract import WinnerStatus
from mymozhem.contract.events import text_digest
from mymozhem.errors import Conflict, NotFound
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.prizes.manage import change_prize, delete_prize
from mymozhem.rooms.prizes.winners import award, fulfill, move, revoke
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness

pytestmark = pytest.mark.both_engines


async def give(host: HostHarness, room: RoomRow, person: str, prize: str) -> WinnerRow:
    async with room_transaction(host.services, room.id) as transaction:
        return await award(transaction, participant_id=person, prize_id=prize, metadata={})


async def left(host: HostHarness, prizes: Sequence[str]) -> list[int]:
    async with host.services.database.read() as session:
        return [(await session.get_one(PrizeRow, prize)).quantity_remaining for prize in prizes]


async def test_a_win_takes_a_unit_and_a_revoked_one_returns_it_once(host: HostHarness) -> None:
    room = await host.start("bazaar")
    prize, guest = await host.prize(room, 2), await host.guest(room)
    winner = await give(host, room, guest.participant.id, prize)
    assert await left(host, [prize]) == [1]

    for _ in range(2):
        async with room_transaction(host.services, room.id) as transaction:
            revoked = await revoke(transaction, winner.id, reason="not here")
        assert revoked.status == WinnerStatus.REVOKED
    assert await left(host, [prize]) == [2]
    events = await host.events(room.id, "winner:selected", "winner:revoked")
    assert [event.type for event in events] == ["winner:selected", "winner:revoked"]
    assert events[1].payload["reasonDigest"] == text_digest("not here")

    assert (await give(host, room, guest.participant.id, prize)).id != winner.id


async def test_nobody_wins_a_prize_twice_and_nothing_is_given_that_is_not_there(
    host: HostHarness,
) -> None:
    room = await host.start("bazaar")
    prize = await host.prize(room, 1)
    first, second = await host.guests(room, 2)
    await give(host, room, first.participant.id, prize)
    with pytest.raises(Conflict) as caught:
        await give(host, room, first.participant.id, prize)
    assert caught.value.code == "ALREADY_WON"
    with pytest.raises(Conflict) as caught:
        await give(host, room, second.participant.id, prize)
    assert caught.value.code == "PRIZE_EXHAUSTED"
    assert await left(host, [prize]) == [0]


async def test_people_and_prizes_of_another_room_are_not_found(host: HostHarness) -> None:
    room, other = await host.start("bazaar"), await host.start("bazaar")
    mine, theirs = await host.prize(room), await host.prize(other)
    here, there = await host.guest(room), await host.guest(other)
    for person, prize in ((there, mine), (here, theirs)):
        with pytest.raises(NotFound):
            await give(host, room, person.participant.id, prize)


async def test_a_prize_is_handed_out_once_and_not_after_it_was_taken_back(
    host: HostHarness,
) -> None:
    room = await host.start("bazaar")
    prize, guest = await host.prize(room), await host.guest(room)
    winner = await give(host, room, guest.participant.id, prize)
    for _ in range(2):
        async with room_transaction(host.services, room.id) as transaction:
            assert (await fulfill(transaction, winner.id)).status == WinnerStatus.FULFILLED
    assert len(await host.events(room.id, "winner:fulfilled")) == 1
    async with room_transaction(host.services, room.id) as transaction:
        await revoke(transaction, winner.id, reason=None)
    with pytest.raises(Conflict) as caught:
        async with room_transaction(host.services, room.id) as transaction:
            await fulfill(transaction, winner.id)
    assert caught.value.code == "WINNER_REVOKED"


async def test_a_winner_moves_to_another_prize_visibly(host: HostHarness) -> None:
    room = await host.start("bazaar")
    bicycle, mug = await host.prize(room), await host.prize(room, 5, "Mug")
    guest = await host.guest(room)
    winner = await give(host, room, guest.participant.id, bicycle)
    async with room_transaction(host.services, room.id) as transaction:
        await move(transaction, winner.id, prize_id=mug, reason="too tall for it")
    assert await left(host, [bicycle, mug]) == [1, 4]
    (event,) = await host.events(room.id, "winner:moved")
    assert event.payload["previousPrizeId"] == bicycle
    assert event.payload["reasonDigest"] == text_digest("too tall for it")
    assert "tall" not in str([each.payload for each in await host.events(room.id)])


async def test_a_prize_shrinks_to_what_is_given_and_no_further(host: HostHarness) -> None:
    room = await host.start("bazaar")
    prize = await host.prize(room, 5)
    for guest in await host.guests(room, 2):
        await give(host, room, guest.participant.id, prize)
    shrunk = await change_prize(
        host.services, room.id, host.organizer, prize, {"quantity": 2, "name": "Old bicycle"}
    )
    assert (shrunk.quantity, shrunk.quantity_remaining, shrunk.name) == (2, 0, "Old bicycle")
    with pytest.raises(Conflict) as caught:
        await change_prize(host.services, room.id, host.organizer, prize, {"quantity": 1})
    assert caught.value.code == "QUANTITY_TAKEN"
    with pytest.raises(Conflict):
        await delete_prize(host.services, room.id, host.organizer, prize)
    unused = await host.prize(room)
    await delete_prize(host.services, room.id, host.organizer, unused)
    async with host.services.database.read() as session:
        gone = (await session.scalars(select(PrizeRow).filter_by(id=unused))).one()
    assert gone.deleted_at is not None
