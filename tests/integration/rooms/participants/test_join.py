"""How people come into a room."""

import asyncio

import pytest
from sqlalchemy import event, select

from mymozhem.auth.tables import UserRow
from mymozhem.contract import ParticipantStatus, RoomStatus
from mymozhem.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.participants.manage import approve, leave, remove
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import EntryPolicy, RoomRow
from tests.support.host import HostHarness, principal

pytestmark = pytest.mark.both_engines


async def active(host: HostHarness, room: RoomRow) -> int:
    async with host.services.database.read() as session:
        return (await session.scalars(select(RoomRow.active_count).filter_by(id=room.id))).one()


async def test_a_code_lets_a_guest_in_however_it_is_typed(host: HostHarness) -> None:
    room = await host.start("bazaar")
    typed = f" {room.code[:4].lower()}-{room.code[4:]} "
    joined = await join(host.services, typed, None, name="Ada", answers={"table": 4})

    assert joined.new
    assert joined.participant.data == {"table": 4}
    assert joined.participant.status == ParticipantStatus.ACTIVE
    assert await active(host, room) == 1
    counts = await host.events(room.id, "participant:count")
    assert [event.payload["count"] for event in counts] == [1]
    (told,) = await host.events(room.id, "participant:joined")
    assert told.stream == "organizer"
    assert "Ada" not in str([event.payload for event in await host.events(room.id)])


async def test_a_wrong_code_never_tells_what_exists(host: HostHarness) -> None:
    for code in ("", "WRONG", "\x00", "x" * 5000, "ß" * 8):
        with pytest.raises(NotFound) as caught:
            await join(host.services, code, None, name="Ada", answers={})
        assert caught.value.code == "CODE_UNKNOWN"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({}, Conflict, "ROOM_NOT_OPEN"),
        ({"status": RoomStatus.CANCELLED}, Gone, "ROOM_OVER"),
    ],
)
async def test_a_right_code_says_why_the_door_is_closed(
    host: HostHarness, changes: dict[str, object], error: type[Exception], code: str
) -> None:
    room = await host.room("bazaar")
    await host.change(room.id, **changes)
    with pytest.raises(error) as caught:
        await host.guest(room)
    assert caught.value.code == code  # type: ignore[attr-defined]  # one of ours


@pytest.mark.parametrize(
    ("fields", "error", "code"),
    [
        ({"doors_locked": True}, Conflict, "ROOM_LOCKED"),
        ({"capacity": 1}, Conflict, "ROOM_FULL"),
        ({"entry_policy": EntryPolicy.REGISTERED}, Forbidden, "ACCOUNT_REQUIRED"),
    ],
)
async def test_a_running_room_says_who_may_not_come_in(
    host: HostHarness, fields: dict[str, object], error: type[Exception], code: str
) -> None:
    room = await host.start("bazaar")
    await host.guest(room)
    await host.change(room.id, fields=fields)
    with pytest.raises(error) as caught:
        await host.guest(room, "Bob")
    assert caught.value.code == code  # type: ignore[attr-defined]  # one of ours
    assert await active(host, room) == 1


async def test_answers_must_fit_the_registration_schema(host: HostHarness) -> None:
    room = await host.start("bazaar")
    with pytest.raises(Invalid) as caught:
        await host.guest(room, answers={"table": "four", "tickets": 1000})
    assert "/answers/table" in caught.value.details["fields"]


async def test_the_app_turns_people_away_or_lets_them_wait(host: HostHarness) -> None:
    room = await host.start("bazaar")
    with pytest.raises(Forbidden, match="Not in that mood"):
        await host.guest(room, answers={"mood": "bad"})
    assert await active(host, room) == 0

    shy = await host.guest(room, "Shy", {"mood": "shy"})
    assert shy.participant.status == ParticipantStatus.PENDING
    assert await active(host, room) == 0
    let_in = await approve(host.services, room.id, host.organizer, shy.participant.id)
    assert let_in.status == ParticipantStatus.ACTIVE
    assert await active(host, room) == 1


async def test_an_app_that_fails_leaves_it_to_the_organizer(host: HostHarness) -> None:
    room = await host.start("bazaar")
    joined = await host.guest(room, answers={"mood": "broken"})
    assert joined.participant.status == ParticipantStatus.PENDING
    (fallback,) = await host.events(room.id, "app:fallback_used")
    assert fallback.stream == "organizer"
    assert fallback.payload["decidedBy"] == "review"


async def test_seats_that_the_app_names_are_counted_by_the_host(host: HostHarness) -> None:
    room = await host.start("bazaar")
    first = await host.guest(room, "First", {"mood": "last"})
    assert first.participant.reason is None  # it was said in case there were no seat
    with pytest.raises(Forbidden, match="The seat is taken"):
        await host.guest(room, "Second", {"mood": "last"})


async def test_two_people_never_carry_one_name(host: HostHarness) -> None:
    room = await host.start("bazaar")
    names = [(await host.guest(room, "Ada")).participant.display_name for _ in range(3)]
    assert names == ["Ada", "Ada 2", "Ada 3"]
    assert (await host.guest(room, "Ada 2")).participant.display_name == "Ada 2 2"
    assert (await host.guest(room, "A_a")).participant.display_name == "A_a"


async def test_names_with_tricks_are_refused(host: HostHarness) -> None:
    room = await host.start("bazaar")
    for name in ("", "  ", "Ada\u202eevil", "x" * 33, "a\u200bb"):
        with pytest.raises(Invalid):
            await host.guest(room, name)


async def test_a_person_has_one_row_for_ever(host: HostHarness) -> None:
    room = await host.start("bazaar")
    ada = await host.person("ada@example.com")
    first = await join(host.services, room.code, ada, name=None, answers={"table": 1})
    again = await join(host.services, room.code, ada, name=None, answers={})
    assert (first.new, again.new) == (True, False)

    await leave(host.services, room.id, ada)
    assert await active(host, room) == 0
    back = await join(host.services, room.code, ada, name=None, answers={"table": 2})

    assert back.participant.id == first.participant.id
    assert back.participant.display_name == "ada"
    assert await active(host, room) == 1
    assert await host.count(ParticipantRow, room_id=room.id, user_id=ada.user_id) == 1


async def test_the_name_of_an_account_is_never_cut_inside_of_an_emoji(host: HostHarness) -> None:
    room = await host.start("bazaar")
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 12
    ada = await host.person("ada@example.com")
    async with host.services.database.write() as unit:
        (await unit.session.get_one(UserRow, ada.user_id)).name = family
    joined = await join(host.services, room.code, ada, name=None, answers={})
    assert joined.participant.display_name == family


async def test_who_was_removed_does_not_come_back(host: HostHarness) -> None:
    room = await host.start("bazaar")
    ada = await host.person("ada@example.com")
    joined = await join(host.services, room.code, ada, name=None, answers={})
    await remove(host.services, room.id, host.organizer, joined.participant.id)
    with pytest.raises(Forbidden) as caught:
        await join(host.services, room.code, ada, name=None, answers={})
    assert caught.value.code == "REMOVED"
    assert await active(host, room) == 0


async def test_a_guest_of_one_room_is_nobody_in_another(host: HostHarness) -> None:
    room, other = await host.start("bazaar"), await host.start("bazaar")
    guest = principal(await host.guest(room))
    with pytest.raises(NotFound):
        await join(host.services, other.code, guest, name="Ada", answers={})


async def test_people_who_come_together_are_let_in_by_few_transactions(host: HostHarness) -> None:
    room = await host.start("bazaar", capacity=30)
    commits: list[object] = []
    engine = host.services.database._writer.sync_engine  # noqa: SLF001  counted, not changed
    event.listen(engine, "commit", commits.append)

    came = await asyncio.gather(
        *(host.guest(room, "Ada") for _ in range(40)), return_exceptions=True
    )

    names = {each.participant.display_name for each in came if isinstance(each, JoinResult)}
    assert names == {"Ada", *(f"Ada {number}" for number in range(2, 31))}
    refused = [each for each in came if isinstance(each, Conflict)]
    assert [each.code for each in refused] == ["ROOM_FULL"] * 10
    assert await active(host, room) == 30
    assert len(commits) < len(came) / 4
