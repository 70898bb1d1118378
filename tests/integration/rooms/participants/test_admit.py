"""People who come at the same time share reads and writes, and each gets what is due to them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from mymozhem.auth.name_rules import name_problems
from mymozhem.clock import Clock
from mymozhem.contract import (
    Context,
    JsonObject,
    ParticipantStatus,
    RegistrationRequest,
    RegistrationResult,
    hookimpl,
)
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict, NotFound, Unauthenticated
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.participants.display_names import FreeNames, numbered
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.participants.manage import leave
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.host import HostHarness, make_host, principal

pytestmark = pytest.mark.both_engines

TOGETHER = 40


class Porter:
    """Keeps with each person the lot that was drawn for them, and has half of them wait."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "porter",
            "meta": {"name": "Porter", "version": "1.0.0", "description": "Draws lots."},
            "capabilities": ["participantRegistration", "actions"],
            "permissions": [],
            "registration": {"type": "object"},
            "actions": {"count": {"roles": ["PARTICIPANT"]}},
        }

    @hookimpl
    async def register_participant(
        self, context: Context, request: RegistrationRequest
    ) -> RegistrationResult:
        waits = bool(request.answers.get("waits"))
        metadata = request.answers or {"lot": context.seed}
        return RegistrationResult(decision="pending" if waits else "accept", metadata=metadata)

    @hookimpl
    async def handle_action(self, context: Context) -> JsonObject:
        assert context.room is not None
        return {"effects": [{"effect": "setState", "public": {"counted": True}}]}


@pytest.fixture
async def host(database: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[HostHarness]:
    built = await make_host(database, clock, tmp_path, {"porter": Porter()})
    yield built
    await built.services.dispatcher.close()


@pytest.fixture
async def room(host: HostHarness) -> RoomRow:
    return await host.start("porter")


@pytest.fixture
def statements() -> Iterator[list[str]]:
    sent: list[str] = []

    def keep(_connection, _cursor, statement, _parameters, _context, _many) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", keep)
    yield sent
    event.remove(Engine, "before_cursor_execute", keep)


async def come(host: HostHarness, room: RoomRow, *names: str) -> list[JoinResult]:
    return list(await asyncio.gather(*(host.guest(room, name) for name in names)))


def shown(joined: list[JoinResult]) -> list[str]:
    return [each.participant.display_name for each in joined]


async def test_those_who_come_together_cost_few_statements(
    host: HostHarness, room: RoomRow, statements: list[str]
) -> None:
    statements.clear()
    await come(host, room, *(f"Guest {number}" for number in range(TOGETHER)))
    assert len(statements) < TOGETHER
    assert len([each for each in statements if "FROM room_states" in each]) <= 2


async def test_everybody_hears_of_those_who_came_together_once(
    host: HostHarness, room: RoomRow
) -> None:
    joined = await come(host, room, *(f"Guest {number}" for number in range(TOGETHER)))
    counts = [each.payload["count"] for each in await host.events(room.id, "participant:count")]
    assert counts == sorted(counts)
    assert counts[-1] == TOGETHER
    assert len(counts) <= 2
    told = await host.events(room.id, "participant:joined")
    assert [each.payload["participantId"] for each in told] == [
        each.participant.id for each in joined
    ]
    assert [each.actor_id for each in told] == [each.user_id for each in joined]


async def test_each_draws_lots_of_their_own(host: HostHarness, room: RoomRow) -> None:
    joined = await come(host, room, *(f"Guest {number}" for number in range(TOGETHER)))
    assert len({str(each.participant.data["lot"]) for each in joined}) == TOGETHER


async def test_names_come_out_as_if_people_had_come_one_by_one(host: HostHarness) -> None:
    names = ("Ada", "Bob", "Ada", "Ada 2", "ada", "Ada_", "Ada 2 2", "Ada", "Bob 2", "Bob")
    together, apart = await host.start("porter"), await host.start("porter")
    for room in (together, apart):
        await host.guest(room, "Ada 3")
        await host.guest(room, "Bob")
    one_by_one = [await host.guest(apart, name) for name in names]
    assert shown(await come(host, together, *names)) == shown(one_by_one)


async def test_who_comes_back_among_others_keeps_their_name(
    host: HostHarness, room: RoomRow
) -> None:
    ada = principal(await host.guest(room, "Ada"))
    await leave(host.services, room.id, ada)
    back = join(host.services, room.code, ada, name=None, answers={})
    found = await asyncio.gather(host.guest(room, "Ada"), back, host.guest(room, "Ada"))
    assert shown(list(found)) == ["Ada 2", "Ada", "Ada 3"]


@pytest.mark.parametrize("answers", [{}, {"waits": True}], ids=["let in", "to wait"])
async def test_one_person_who_knocks_often_has_one_row(
    host: HostHarness, room: RoomRow, answers: JsonObject
) -> None:
    ada = await host.person("ada@example.com")
    knocks = [join(host.services, room.code, ada, name="Ada", answers=answers) for _ in range(9)]
    found = await asyncio.gather(host.guest(room, "Bob"), *knocks)
    assert {each.participant.id for each in found[1:]} == {found[1].participant.id}
    assert {each.participant.display_name for each in found[1:]} == {"Ada"}
    assert await host.count(ParticipantRow, room_id=room.id, user_id=ada.user_id) == 1
    waiting = found[1].participant.status == ParticipantStatus.PENDING
    assert waiting == bool(answers)
    async with host.services.database.read() as session:
        assert (await session.get_one(RoomRow, room.id)).active_count == 2 - waiting


async def test_somebody_who_cannot_be_stored_keeps_nobody_else_out(
    host: HostHarness, room: RoomRow
) -> None:
    half = {"waits": "\ud83d"}  # half of an emoji, which no database takes
    found = await asyncio.gather(
        host.guest(room, "First"),
        host.guest(room, "Second"),
        host.guest(room, "Half", half),
        host.guest(room, "Third"),
        return_exceptions=True,
    )
    assert [isinstance(each, JoinResult) for each in found] == [True, True, False, True]
    assert await host.count(ParticipantRow, room_id=room.id) == 1 + 3
    counts = await host.events(room.id, "participant:count")
    assert counts[-1].payload["count"] == 3


async def test_who_has_no_account_any_more_is_told_so_among_others(
    host: HostHarness, room: RoomRow
) -> None:
    ada = await host.person("ada@example.com")
    unknown = replace(ada, user_id="usr_unknown")
    found = await asyncio.gather(
        host.guest(room, "First"),
        join(host.services, room.code, unknown, name="Nobody", answers={}),
        join(host.services, room.code, ada, name="Ada", answers={}),
        return_exceptions=True,
    )
    assert [type(each) for each in found] == [JoinResult, Unauthenticated, JoinResult]


async def test_the_last_seats_go_to_those_who_came_first(host: HostHarness) -> None:
    room = await host.start("porter", capacity=3)
    found = await asyncio.gather(
        *(host.guest(room, f"Guest {number}") for number in range(5)), return_exceptions=True
    )
    assert [isinstance(each, JoinResult) for each in found] == [True] * 3 + [False] * 2
    assert [each.code for each in found if isinstance(each, Conflict)] == ["ROOM_FULL"] * 2


async def test_no_door_is_remembered_once_everybody_has_gone(
    host: HostHarness, room: RoomRow
) -> None:
    gone = [asyncio.create_task(host.guest(room, f"Guest {number}")) for number in range(3)]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    for code in ("WRONG", "WRONGER"):
        with pytest.raises(NotFound):
            await join(host.services, code, None, name="Ada", answers={})
    await host.guest(room, "Last")
    assert len(host.services.room_lookups) == 0
    assert len(host.services.joins) == 0


async def test_an_action_reads_the_state_once_before_and_once_under_the_lock(
    host: HostHarness, room: RoomRow, statements: list[str]
) -> None:
    ada = principal(await host.guest(room))
    statements.clear()
    await perform(host.services, room.id, ada, "count", {})
    reads = [each for each in statements if each.startswith("SELECT") and "room_states" in each]
    assert len(reads) == 2


def test_names_are_given_out_in_order_and_old_ones_become_free() -> None:
    free = FreeNames({"Ada", "Ada 3", "Bob"})
    assert [free.take("Ada") for _ in range(3)] == ["Ada 2", "Ada 4", "Ada 5"]
    assert free.take("Bob", instead_of="Bob") == "Bob"
    assert free.take("Ada", instead_of="Ada 3") == "Ada 3"
    assert [free.take("Eve"), free.take("Eve")] == ["Eve", "Eve 2"]


def test_a_number_fits_behind_every_name() -> None:
    flag = "\U0001f1ee\U0001f1f9"
    for name in ("M" * 32, "M" * 31, flag * 32, "\u2764\ufe0f" * 32):
        free = FreeNames(())
        given = [free.take(name) for _ in range(120)]
        assert len(set(given)) == 120
        assert [each for each in given if name_problems(each)] == []
        assert given[:2] == [name, numbered(name, {name})]
        assert given[-1].endswith(" 120")


def test_long_names_that_differ_at_their_ends_are_numbered_apart() -> None:
    one, other = "M" * 31 + "A", "M" * 31 + "B"
    free = FreeNames((one, other))
    assert [free.take(one), free.take(other)] == ["M" * 30 + " 2", "M" * 30 + " 3"]
