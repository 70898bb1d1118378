"""What version 1.1 of the contract added, and what a room that is locked to 1.0 receives."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from sqlalchemy import select

from mymozhem.contract import (
    ActionRequest,
    Change,
    Context,
    Effects,
    JsonObject,
    PrizeCount,
    RegistrationRequest,
    RegistrationResult,
    RoomChangeRequest,
    hookimpl,
)
from mymozhem.contract.serve import serve
from mymozhem.errors import Conflict, Forbidden, MymozhemError
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.participants.manage import leave
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow
from mymozhem.rooms.tables.rooms import RoomStateRow
from mymozhem.testing import open_host
from mymozhem.testing.web_server import AsgiApp
from tests.support.host import HostHarness, principal
from tests.support.transports import HOUSES

RELEASED = Path(__file__).parents[2] / "releases" / "contract-1.0.json"


class Guild:
    """Gives everybody a card when they join, does what its actions say, and notes what changes."""

    def __init__(self, contract: str | None = None, permissions: Sequence[str] = ()) -> None:
        self.contract = contract
        self.permissions = permissions
        self.register: Callable[[RegistrationRequest], RegistrationResult] = card
        self.contexts: list[Context] = []
        self.changes: list[Change] = []

    @hookimpl
    def app_manifest(self) -> JsonObject:
        manifest: JsonObject = {
            "manifestVersion": 1,
            "id": "guild",
            "meta": {"name": "Guild", "version": "1.0.0", "description": "Cards for everybody."},
            "capabilities": ["participantRegistration", "actions", "roomChanges"],
            "permissions": list(self.permissions),
            "changes": ["joined", "prize", "winner", "draw"],
            "actions": {
                "do": {"roles": ["ORGANIZER", "PARTICIPANT"]},
                "say": {"roles": ["PARTICIPANT"], "batch": True},
            },
        }
        return manifest | ({"contract": self.contract} if self.contract else {})

    @hookimpl
    def register_participant(
        self, context: Context, request: RegistrationRequest
    ) -> RegistrationResult:
        self.contexts.append(context)
        return self.register(request)

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> JsonObject:
        self.contexts.append(context)
        if request.calls is None:
            return {"effects": request.payload["effects"]}
        return {"answers": [{"effects": call.payload["effects"]} for call in request.calls]}

    @hookimpl
    def on_room_changed(self, context: Context, request: RoomChangeRequest) -> Effects:
        self.contexts.append(context)
        self.changes.append(request.change)
        return Effects()


def card(request: RegistrationRequest) -> RegistrationResult:
    return RegistrationResult(
        own={"card": [3, 14, 15], "for": request.applicant.name}, private={"seed": 7}
    )


async def act(host: HostHarness, room: Any, *effects: JsonObject) -> None:
    await host.act(room, "do", {"effects": list(effects)})


async def state_of(host: HostHarness, room_id: str) -> RoomStateRow:
    async with host.services.database.read() as session:
        return await session.get_one(RoomStateRow, room_id)


async def row_of(host: HostHarness, joined: JoinResult) -> ParticipantRow:
    async with host.services.database.read() as session:
        return await session.get_one(ParticipantRow, joined.participant.id)


@pytest.fixture(params=["inprocess", "webhook"])
def opened(request, database, clock, tmp_path):
    @asynccontextmanager
    async def open_house(app: Guild) -> AsyncIterator[HostHarness]:
        async with HOUSES[request.param](database, clock, tmp_path, {"guild": app}) as host:
            host.jobs = Jobs(host.services)
            yield host
            await host.jobs.stop()

    return open_house


@pytest.fixture
async def guild(database, clock, tmp_path) -> AsyncIterator[tuple[Guild, HostHarness]]:
    app = Guild()
    async with HOUSES["inprocess"](database, clock, tmp_path, {"guild": app}) as host:
        host.jobs = Jobs(host.services)
        yield app, host
        await host.jobs.stop()


# ------------------------------------------------------------------------------- data at joining


@pytest.mark.both_engines
async def test_data_of_the_registration_is_there_from_the_first_moment(opened):
    async with opened(Guild()) as host:
        room = await host.start("guild")
        ada = await host.guest(room)
        row = await row_of(host, ada)
        assert row.own == {"card": [3, 14, 15], "for": "Ada"}
        assert row.private == {"seed": 7}
        seen = await host.sees(room, ada)
        assert seen.me is not None
        assert seen.me.own == row.own
        told = await host.events(room.id, "state:own_changed")
        assert [(event.stream, event.payload) for event in told] == [(row.id, {"own": row.own})]
        log = await host.events(room.id)
        assert "seed" not in json.dumps([event.payload for event in log])
        assert (await host.replayed(room.id)).own[row.id] == row.own


async def test_data_is_there_for_who_waits_and_is_kept_when_somebody_returns(guild):
    app, host = guild
    app.register = lambda _: RegistrationResult(decision="pending", own={"n": 1}, private={"m": 1})
    room = await host.start("guild")
    ada = await host.guest(room)
    row = await row_of(host, ada)
    assert (row.status, row.own, row.private) == ("pending", {"n": 1}, {"m": 1})

    app.register = lambda _: RegistrationResult()
    bob = await host.guest(room, "Bob")
    assert (await row_of(host, bob)).own == {}
    await act(host, room, {"effect": "setParticipants", "participantId": [bob.participant.id],
                           "own": [{"k": 1}], "private": [{"l": 1}]})  # fmt: skip
    await leave(host.services, room.id, principal(bob))
    app.register = lambda _: RegistrationResult(own={"k": True})
    before = (await state_of(host, room.id)).version
    await rejoin(host, room, bob)
    row = await row_of(host, bob)
    assert (row.own["k"], row.private) == (True, {"l": 1})
    assert row.own["k"] is True  # stored as it was said, though Python calls it equal to 1
    assert (await state_of(host, room.id)).version == before + 1


async def rejoin(host: HostHarness, room: Any, joined: JoinResult) -> None:
    await join(host.services, room.code, principal(joined), name=None, answers={})


async def test_rejected_people_leave_nothing(guild):
    app, host = guild
    app.register = lambda _: RegistrationResult(decision="reject", own={"n": 1}, reason="Full.")
    room = await host.start("guild")
    with pytest.raises(Forbidden):
        await host.guest(room)
    assert await host.count(ParticipantRow, room_id=room.id) == 1  # the organizer


@pytest.mark.parametrize("part", ["own", "private"])
async def test_more_data_than_is_kept_is_a_failure_of_the_app(guild, part):
    app, host = guild
    app.register = lambda _: RegistrationResult(**{part: {"long": "x" * (16 * 1024)}})
    room = await host.start("guild")
    ada = await host.guest(room)
    row = await row_of(host, ada)
    assert (row.status, row.own, row.private) == ("pending", {}, {})
    (told,) = await host.events(room.id, "app:fallback_used")
    assert told.payload["code"] == "STATE_TOO_LARGE"


# --------------------------------------------------------------------------------- merge patches


async def test_patches_of_the_state_are_merged(opened):
    async with opened(Guild()) as host:
        room = await host.start("guild")
        start = {"a": {"b": 1, "c": [1, 2]}, "gone": 1, "flag": 1}
        await act(host, room, {"effect": "setState", "public": start, "private": {"p": 1}})
        patch = {"a": {"b": 2}, "gone": None, "flag": True, "new": {"x": None, "y": 1}}
        await act(host, room, {"effect": "setState", "public": patch, "merge": True})
        state = await state_of(host, room.id)
        expected = {"a": {"b": 2, "c": [1, 2]}, "flag": True, "new": {"y": 1}}
        assert json.dumps(state.public, sort_keys=True) == json.dumps(expected, sort_keys=True)
        assert (state.private, state.organizer) == ({"p": 1}, {})
        last = (await host.events(room.id, "state:changed"))[-1]
        assert last.payload["state"] == expected


async def test_patches_of_participants_are_merged(opened):
    async with opened(Guild()) as host:
        room = await host.start("guild")
        ada, bob = await host.guests(room, 2)
        ids = [ada.participant.id, bob.participant.id]
        await act(host, room, {
            "effect": "setParticipants", "participantId": ids, "merge": True,
            "own": [{"marked": {"3": True}}, None], "private": [None, {"seed": None, "n": 1}],
        })  # fmt: skip
        first, second = await row_of(host, ada), await row_of(host, bob)
        assert first.own == {"card": [3, 14, 15], "for": "Guest 1", "marked": {"3": True}}
        assert first.private == {"seed": 7}
        assert second.own == {"card": [3, 14, 15], "for": "Guest 2"}
        assert second.private == {"n": 1}


async def test_answers_of_one_batch_do_not_undo_each_other(guild):
    _, host = guild
    room = await host.start("guild")
    people = await host.guests(room, 3)

    async def say(number: int) -> None:
        effect = {"effect": "setState", "public": {"said": {str(number): True}}, "merge": True}
        await host.act(room, "say", {"effects": [effect]}, by=people[number])

    await asyncio.gather(*map(say, range(3)))
    state = await state_of(host, room.id)
    assert state.public == {"said": {"0": True, "1": True, "2": True}}


async def test_what_a_patch_makes_is_held_to_the_limits_of_the_state(guild):
    _, host = guild
    room = await host.start("guild")
    half = "x" * (70 * 1024)
    await act(host, room, {"effect": "setState", "public": {"a": half}})
    with pytest.raises(Conflict, match="bytes") as refused:
        await act(host, room, {"effect": "setState", "public": {"b": half}, "merge": True})
    assert refused.value.details["code"] == "STATE_TOO_LARGE"
    assert set((await state_of(host, room.id)).public) == {"a"}


# --------------------------------------------------------------------------------------- prizes


async def test_an_app_adds_a_prize_and_learns_its_id(opened):
    app = Guild(permissions=["prizes:write"])
    async with opened(app) as host:
        room = await host.start("guild")
        await act(host, room, {
            "effect": "addPrize", "name": " Jackpot ", "quantity": 2, "metadata": {"pot": 90},
        })  # fmt: skip
        async with host.services.database.read() as session:
            prize = await session.scalar(select(PrizeRow).where(PrizeRow.room_id == room.id))
        assert prize is not None
        assert (prize.name, prize.quantity, prize.quantity_remaining) == ("Jackpot", 2, 2)
        assert prize.data == {"pot": 90}
        told = [change for change in app.changes if change.kind == "prize"]
        assert [(change.what, change.prize_id) for change in told] == [("created", prize.id)]
        assert [event.payload["prizeId"] for event in await host.events(room.id, "prize:created")]


async def test_without_the_permission_no_prize_is_added(guild):
    _, host = guild
    room = await host.start("guild")
    with pytest.raises(Conflict, match="prizes:write") as refused:
        await act(host, room, {"effect": "addPrize", "name": "Jackpot"})
    assert refused.value.details["code"] == "APP_PERMISSION_DENIED"
    assert refused.value.details["required"] == ["prizes:write"]
    assert await host.count(PrizeRow, room_id=room.id) == 0


async def test_a_prize_of_an_app_has_a_name_without_tricks(guild):
    app, host = guild
    app.permissions = ["prizes:write"]
    room = await host.start("guild")
    for name in ("Jack\u202epot", "\u3164"):
        with pytest.raises(Conflict, match="prize"):
            await act(host, room, {"effect": "addPrize", "name": name})
    assert await host.count(PrizeRow, room_id=room.id) == 0


class Unreal(Guild):
    """Replies with a number of Python that JSON does not have."""

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> JsonObject:
        number = float(request.payload["number"])
        return {"effects": [{"effect": "reply", "data": {"numbers": [number]}}]}


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
async def test_a_number_that_json_does_not_have_is_refused(opened, number):
    async with opened(Unreal()) as host:
        room = await host.start("guild")
        assert await host.act(room, "do", {"number": "1"}) == {"numbers": [1.0]}
        with pytest.raises(MymozhemError) as refused:
            await host.act(room, "do", {"number": number})
        assert refused.value.code in {"APP_BAD_RESULT", "APP_BAD_STATUS"}


# -------------------------------------------------------------------------------------- changes


async def test_changes_name_who_joined_and_the_key_of_the_draw(opened):
    app = Guild()
    async with opened(app) as host:
        room = await host.start("guild")
        prize = await host.prize(room, quantity=2)
        ada, bob = await host.guests(room, 2)
        await host.settle()
        joined = [change for change in app.changes if change.kind == "joined"]
        assert [change.participant_id for change in joined] == [
            ada.participant.id, bob.participant.id,
        ]  # fmt: skip
        for change in joined:
            assert change.participant is not None
            assert change.participant.model_dump(mode="json") == {
                "role": "PARTICIPANT", "kind": "guest", "status": "active",
            }  # fmt: skip

        app.changes.clear()
        asked = {"effect": "draw", "key": "round-1", "run": True,
                 "prizes": [{"prizeId": prize, "count": 1}]}  # fmt: skip
        await act(host, room, asked)
        won = [change for change in app.changes if change.kind == "winner"]
        assert [(change.what, change.key) for change in won] == [("selected", "round-1")]
        assert {change.key for change in app.changes if change.kind == "draw"} == {"round-1"}
        winner_id, winner = won[0].winner_id, won[0].participant_id
        other = ada if bob.participant.id == winner else bob

        app.changes.clear()
        await act(host, room, {"effect": "revoke", "winnerId": winner_id, "reason": "Gone home."})
        await act(host, room, {"effect": "award", "participantId": other.participant.id,
                               "prizeId": prize})  # fmt: skip
        won = [change for change in app.changes if change.kind == "winner"]
        assert [(change.what, change.key) for change in won] == [
            ("revoked", "round-1"), ("selected", None),
        ]  # fmt: skip


async def test_who_left_before_the_app_is_asked_is_not_said_to_be_there(guild):
    app, host = guild
    room = await host.start("guild")
    ada = await host.guest(room)
    await leave(host.services, room.id, principal(ada))
    await host.settle()
    (change,) = app.changes
    assert change.participant is not None
    assert change.participant.status == "left"


# ------------------------------------------------------------------------------- older versions


async def contract_of(host: HostHarness, room_id: str) -> object:
    async with host.services.database.read() as session:
        lock = await session.scalar(select(RoomLockRow.lock).where(RoomLockRow.room_id == room_id))
        assert lock is not None
        return lock["contract"]


@pytest.mark.parametrize(
    ("declared", "spoken"),
    [(None, "1.1"), (">=1.0 <2.0", "1.1"), (">=1.1 <2.0", "1.1"), ("1.0", "1.0"),
     (">=1.0 <1.1", "1.0")],
)  # fmt: skip
async def test_a_room_is_locked_to_the_newest_version_that_both_know(
    database, clock, tmp_path, declared, spoken
):
    app = Guild(declared)
    async with HOUSES["inprocess"](database, clock, tmp_path, {"guild": app}) as host:
        room = await host.start("guild")
        await host.guest(room)
        assert await contract_of(host, room.id) == spoken
        assert {context.contract for context in app.contexts} == {spoken}


async def test_a_room_keeps_the_version_that_it_was_locked_to(guild):
    app, host = guild
    room = await host.start("guild")
    async with room_transaction(host.services, room.id) as transaction:
        lock = await transaction.session.get_one(RoomLockRow, room.lock_id)
        older = RoomLockRow(
            room_id=room.id,
            lock=lock.lock | {"contract": "1.0"},  # as a host of that time wrote it
            digest=lock.digest,
            reason=lock.reason,
            created_at=transaction.now,
        )
        transaction.session.add(older)
        await transaction.session.flush()
        transaction.room.lock_id = older.id
    app.contexts.clear()
    await host.guest(room)
    await host.settle()
    assert {context.contract for context in app.contexts} == {"1.0"}
    (change,) = app.changes
    assert change.participant is None


class StrictReader:
    """A web service that refuses every field that the schemas of 1.0 do not name."""

    def __init__(self) -> None:
        documents = json.loads(RELEASED.read_text(encoding="utf-8"))
        self._schemas = {
            name: jsonschema_rs.validator_for(closed(document))
            for name, document in documents.items()
        }
        self.read: list[str] = []
        self.problems: list[str] = []

    def endpoint(self, app: object, keys: Sequence[str]) -> AsgiApp:
        served = serve(app, keys=keys)

        async def service(scope: Any, receive: Any, send: Any) -> None:
            async def noting() -> Any:
                message = await receive()
                if message["type"] == "http.request" and message.get("body"):
                    self.look(json.loads(message["body"]))
                return message

            await served(scope, noting, send)

        return service

    def look(self, body: JsonObject) -> None:
        hook = str(body["hook"])
        self.read.append(hook)
        if body["contract"] != "1.0":
            self.problems.append(f"{hook}: contract {body['contract']}")
        for name, part in (("context", body["context"]), (f"{hook}.request", body["request"])):
            self.problems += [
                f"{name}: {error.message}" for error in self._schemas[name].iter_errors(part)
            ]


def closed(document: Any) -> Any:
    """Return a schema in which no object has properties that it does not name."""
    if isinstance(document, list):
        return [closed(each) for each in document]
    if not isinstance(document, dict):
        return document
    made = {key: closed(value) for key, value in document.items()}
    return made | {"additionalProperties": False} if "properties" in made else made


@pytest.mark.parametrize(("declared", "is_older"), [("1.0", True), (">=1.0 <2.0", False)])
async def test_a_strict_reader_of_1_0_meets_nothing_that_it_does_not_know(declared, is_older):
    app, reader = Guild(declared, ["prizes:write"]), StrictReader()
    async with open_host({"guild": app}, served=True, endpoint=reader.endpoint) as host:
        room = await host.start("guild")
        prize = await host.prize(room)
        ada = await host.guest(room)
        await host.settle()
        draw = {"effect": "draw", "key": "one", "run": True,
                "prizes": [{"prizeId": prize, "count": 1}]}  # fmt: skip
        await act(host, room, draw, {"effect": "addPrize", "name": "More"})
        assert (await row_of(host, ada)).private == {"seed": 7}
    assert {"register_participant", "handle_action", "on_room_changed"} <= set(reader.read)
    assert (reader.problems == []) is is_older
    assert all(change.participant is None for change in app.changes) is is_older


async def test_the_strict_reader_knows_the_whole_of_1_0(guild):
    reader = StrictReader()
    body = {"hook": "on_timer", "contract": "1.0", "context": {}, "request": {"new": 1}}
    reader.look(body)
    assert any("new" in problem for problem in reader.problems)


async def test_draws_of_commands_have_keys_too(guild):
    app, host = guild
    room = await host.start("guild")
    prize = await host.prize(room)
    await host.guest(room)
    async with room_transaction(host.services, room.id) as transaction:
        wish = commands.DrawRequest((PrizeCount(prize_id=prize, count=1),), key="k", run=True)
        await commands.request(transaction, wish)
    await host.settle()
    assert "k" in {change.key for change in app.changes if change.kind == "winner"}
    async with room_transaction(host.services, room.id) as transaction:
        won = next(change for change in app.changes if change.kind == "winner")
        assert won.winner_id is not None
        await winners.fulfill(transaction, won.winner_id)
    await host.settle()
    assert app.changes[-1].key == "k"
