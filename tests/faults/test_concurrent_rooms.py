"""A hundred at once: one effect each, and no quantity, capacity or number broken.

By one process on SQLite, and by two processes on PostgreSQL.
"""

import asyncio
import os

import pytest
from sqlalchemy import select

from mymozhem.auth.accounts import create_user
from mymozhem.contract import DrawStatus, ParticipantStatus, WinnerStatus
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.jobs.runner import Jobs as Work
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.events import RoomEventRow, RoomStreamRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from tests.faults.race import Crowd, Jobs, tally, values
from tests.support.host import HostHarness
from tests.support.timing import HANG_TIMEOUT

MANY = int(os.environ.get("MYMOZHEM_FAULT_ROUNDS", "100"))

# A SQLite file belongs to one process.
pytestmark = pytest.mark.parametrize(
    ("dialect", "processes"),
    [("sqlite", 1), ("postgresql", 2)],
    indirect=["dialect"],
)


async def run(crowd: Crowd, jobs: Jobs) -> list[dict[str, object]]:
    async with asyncio.timeout(HANG_TIMEOUT):
        return await crowd.run(jobs)


async def people(host: HostHarness, count: int = MANY) -> list[str]:
    async with host.services.database.write() as unit:
        rows = [
            await create_user(
                unit, email=f"p{number}@example.com", name=f"P {number}", password_hash="x"
            )
            for number in range(count)
        ]
    return [row.id for row in rows]


async def joined(host: HostHarness, crowd: Crowd, room: RoomRow) -> list[str]:
    """Let a hundred people in, all at once, and return their places in the room."""
    outcomes = await run(crowd, [
        {"do": "join", "code": room.code, "user": user} for user in await people(host)
    ])  # fmt: skip
    assert tally(outcomes) == {"done": MANY}
    return [participant for participant, _ in values(outcomes)]


async def check_numbers(host: HostHarness, room: RoomRow) -> None:
    """Show that the log has no gap, and that every count is what can be counted."""
    async with host.services.database.read() as session:
        events = (
            await session.scalars(
                select(RoomEventRow).filter_by(room_id=room.id).order_by(RoomEventRow.seq)
            )
        ).all()
        streams = (await session.scalars(select(RoomStreamRow).filter_by(room_id=room.id))).all()
        stored = await session.get_one(RoomRow, room.id)
        prizes = (await session.scalars(select(PrizeRow).filter_by(room_id=room.id))).all()
        wins = (await session.scalars(select(WinnerRow).filter_by(room_id=room.id))).all()
        active = select(ParticipantRow.id).filter_by(
            room_id=room.id, status=ParticipantStatus.ACTIVE, role="PARTICIPANT"
        )
        assert stored.active_count == len((await session.scalars(active)).all())
    assert [event.seq for event in events] == list(range(1, stored.last_seq + 1))
    for stream in streams:
        numbers = [event.stream_no for event in events if event.stream == stream.stream]
        assert numbers == list(range(1, stream.last_no + 1)), stream.stream
    for prize in prizes:
        held = [win for win in wins if win.prize_id == prize.id and win.status != "revoked"]
        assert prize.quantity_remaining == prize.quantity - len(held)


async def test_one_person_joining_a_hundred_times_has_one_place(
    host: HostHarness, crowd: Crowd
) -> None:
    room = await host.start("racer")
    (user,) = await people(host, 1)
    outcomes = await run(crowd, [{"do": "join", "code": room.code, "user": user}] * MANY)

    assert tally(outcomes) == {"done": MANY}
    assert len({participant for participant, _ in values(outcomes)}) == 1
    assert sum(new for _, new in values(outcomes)) == 1
    assert await host.count(ParticipantRow, room_id=room.id, user_id=user) == 1
    assert len(await host.events(room.id, "participant:joined")) == 1
    await check_numbers(host, room)


async def test_a_hundred_people_joining_at_once_are_all_in(host: HostHarness, crowd: Crowd) -> None:
    room = await host.start("racer")
    assert len(set(await joined(host, crowd, room))) == MANY
    await check_numbers(host, room)


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"capacity": 3}, "ROOM_FULL"),
        ({"settings": {"seats": 3}}, "REGISTRATION_REJECTED"),
    ],
    ids=["capacity", "the app's seats"],
)
async def test_the_last_seats_go_to_as_many_as_there_are(
    host: HostHarness, crowd: Crowd, wishes: dict[str, object], code: str
) -> None:
    room = await host.start("racer", **wishes)  # type: ignore[arg-type]  # the table's
    outcomes = await run(crowd, [
        {"do": "join", "code": room.code, "user": user} for user in await people(host)
    ])  # fmt: skip

    assert tally(outcomes) == {"done": 3, code: MANY - 3}
    assert len(await host.events(room.id, "participant:joined")) == 3
    await check_numbers(host, room)


async def test_the_last_units_of_a_prize_go_to_as_many_as_there_are(
    host: HostHarness, crowd: Crowd
) -> None:
    room = await host.start("racer")
    prize, places = await host.prize(room, 2), await joined(host, crowd, room)
    outcomes = await run(crowd, [
        {"do": "award", "room": room.id, "participant": place, "prize": prize} for place in places
    ])  # fmt: skip

    assert tally(outcomes) == {"done": 2, "PRIZE_EXHAUSTED": MANY - 2}
    assert len(await host.events(room.id, "winner:selected")) == 2
    await check_numbers(host, room)


async def test_one_win_awarded_fulfilled_or_revoked_a_hundred_times_is_so_once(
    host: HostHarness, crowd: Crowd
) -> None:
    room = await host.start("racer")
    prize = await host.prize(room, 5)
    place = (await host.guest(room)).participant.id
    award = {"do": "award", "room": room.id, "participant": place, "prize": prize}
    outcomes = await run(crowd, [award] * MANY)
    assert tally(outcomes) == {"done": 1, "ALREADY_WON": MANY - 1}
    await check_numbers(host, room)

    (winner,) = values(outcomes)
    fulfil = {"do": "fulfill", "room": room.id, "winner": winner}
    assert set(values(await run(crowd, [fulfil] * MANY))) == {WinnerStatus.FULFILLED}
    assert len(await host.events(room.id, "winner:fulfilled")) == 1

    revoke = {"do": "revoke", "room": room.id, "winner": winner}
    assert set(values(await run(crowd, [revoke] * MANY))) == {WinnerStatus.REVOKED}
    assert len(await host.events(room.id, "winner:revoked")) == 1
    await check_numbers(host, room)


async def test_handing_out_and_taking_back_at_once_ends_taken_back(
    host: HostHarness, crowd: Crowd
) -> None:
    room = await host.start("racer")
    prize = await host.prize(room, 5)
    place = (await host.guest(room)).participant.id
    award = {"do": "award", "room": room.id, "participant": place, "prize": prize}
    (winner,) = values(await run(crowd, [award] * 2))
    outcomes = await run(crowd, [
        {"do": deed, "room": room.id, "winner": winner}
        for deed in ("fulfill", "fulfill", "revoke", "revoke") * (MANY // 4)
    ])  # fmt: skip

    assert tally(outcomes).keys() <= {"done", "WINNER_REVOKED"}
    async with host.services.database.read() as session:
        assert (await session.get_one(WinnerRow, winner)).status == WinnerStatus.REVOKED
    assert len(await host.events(room.id, "winner:fulfilled")) <= 1
    assert len(await host.events(room.id, "winner:revoked")) == 1
    await check_numbers(host, room)


@pytest.mark.parametrize("action", ["count", "tick"])
async def test_a_hundred_counting_actions_count_to_a_hundred(
    host: HostHarness, crowd: Crowd, action: str
) -> None:
    room = await host.start("racer")
    act = {"do": "act", "room": room.id, "user": host.organizer.user_id, "action": action}
    outcomes = await run(crowd, [act] * MANY)

    assert tally(outcomes) == {"done": MANY}
    assert sorted(values(outcomes)) == list(range(1, MANY + 1))
    async with host.services.database.read() as session:
        state = (await session.scalars(select(RoomStateRow).filter_by(room_id=room.id))).one()
    assert state.public == {"count": MANY}
    assert len(await host.events(room.id, "state:changed")) == MANY
    await check_numbers(host, room)


async def test_a_request_repeated_a_hundred_times_is_done_once(
    host: HostHarness, crowd: Crowd
) -> None:
    room = await host.start("racer")
    act = {"do": "act once", "room": room.id, "user": host.organizer.user_id, "action": "count"}
    outcomes = await run(crowd, [{**act, "key": "a key"}] * MANY)

    assert tally(outcomes).keys() <= {"done", "IN_PROGRESS"}
    assert set(values(outcomes)) == {1}
    assert values(await run(crowd, [{**act, "key": "a key"}] * 2)) == [1, 1]
    assert values(await run(crowd, [{**act, "key": "another"}] * 2))[:1] == [2]
    assert len(await host.events(room.id, "state:changed")) == 2
    await check_numbers(host, room)


async def test_a_draw_run_a_hundred_times_is_drawn_once(host: HostHarness, crowd: Crowd) -> None:
    room = await host.start("racer")
    places = await joined(host, crowd, room)
    prize = await host.prize(room, 5)
    async with room_transaction(host.services, room.id) as writer:
        draw = (await commands.request(writer, DrawRequest())).id
    outcomes = await run(crowd, [{"do": "run draw", "room": room.id, "draw": draw}] * MANY)
    assert tally(outcomes) == {"done": MANY}
    await Work(host.services).run_due()

    async with host.services.database.read() as session:
        assert (await session.get_one(DrawRow, draw)).status is DrawStatus.REVEALED
        wins = (await session.scalars(select(WinnerRow).filter_by(draw_id=draw))).all()
    assert len({win.participant_id for win in wins} & set(places)) == len(wins) == 5
    assert {win.prize_id for win in wins} == {prize}
    assert len(await host.events(room.id, "draw:committed")) == 1
    assert len(await host.events(room.id, "draw:revealed")) == 1
    assert len(await host.events(room.id, "winner:selected")) == 5
    await check_numbers(host, room)
