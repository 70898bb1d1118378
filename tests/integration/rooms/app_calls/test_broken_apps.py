"""Apps that break in every way: a typed outcome in time, nothing applied, nobody else affected."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from mymozhem.clock import Clock
from mymozhem.contract import (
    ActionRequest,
    Context,
    JsonObject,
    ParticipantStatus,
    RegistrationRequest,
    RoomStatus,
    SettingsValidationRequest,
    hookimpl,
)
from mymozhem.db.base import Base
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict, MymozhemError, Unavailable
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.tables.events import RoomEventRow
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from mymozhem.rooms.tables.scores import ScoreRow
from mymozhem.rooms.tables.timers import TimerRow
from tests.support.host import HostHarness, make_host, principal
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock

#: a test that takes so long has waited for what nobody should wait for


class Wreck:
    """An app of plain functions that breaks as it is told; `held` ends when the test does."""

    id = "wreck"
    policies: JsonObject = {
        "actions": {"timeout": 200},
        "participantRegistration": {"timeout": 150},
        "settingsValidation": {"timeout": 200},
    }

    def __init__(self) -> None:
        self.held = threading.Event()
        self.entered = threading.Event()

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": self.id,
            "meta": {"name": "Wreck", "version": "1.0.0", "description": "Breaks."},
            "capabilities": ["settingsValidation", "participantRegistration", "actions"],
            "permissions": [],
            "policies": self.policies,
            "settings": {
                "type": "object",
                "properties": {
                    "limit": {"type": "integer", "minimum": 1, "default": 1},
                    "break": {"type": ["string", "null"], "default": None},
                },
            },
            "registration": {"type": "object"},
            "actions": {
                "do": {"roles": ["ORGANIZER", "PARTICIPANT"], "payload": {"type": "object"}}
            },
            "events": {
                f"{self.id}:said": {"visibility": "public", "payload": {"type": "object"}},
                f"{self.id}:whispered": {"visibility": "private", "payload": {"type": "object"}},
            },
        }

    @hookimpl
    def validate_settings(self, request: SettingsValidationRequest) -> object:
        return self._act(request.settings.get("break"), {"problems": []})

    @hookimpl
    def register_participant(self, request: RegistrationRequest) -> object:
        return self._act(request.answers.get("break"), {"decision": "accept"})

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> object:
        return self._act(
            request.payload.get("break"), {"effects": request.payload.get("effects", [])}
        )

    def _act(self, way: object, otherwise: object) -> object:
        if way == "block":
            self.entered.set()
            self.held.wait(60)
        return WAYS[str(way)]() if way in WAYS else otherwise


class Drifter(Wreck):
    """The same of coroutines, which never come back."""

    id = "drifter"

    def __init__(self) -> None:
        super().__init__()
        self.stubborn = 0

    @hookimpl
    async def validate_settings(self, request: SettingsValidationRequest) -> object:
        return await self._drift(request.settings.get("break"), {"problems": []})

    @hookimpl
    async def register_participant(self, request: RegistrationRequest) -> object:
        return await self._drift(request.answers.get("break"), {"decision": "accept"})

    @hookimpl
    async def handle_action(self, context: Context, request: ActionRequest) -> object:
        effects = {"effects": request.payload.get("effects", [])}
        return await self._drift(request.payload.get("break"), effects)

    async def _drift(self, way: object, otherwise: object) -> object:
        if way == "block":
            await asyncio.Event().wait()
        while way == "cling":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.stubborn += 1
        return self._act(way, otherwise)


class Faithful(Wreck):
    """An app whose manifest says what holds when it breaks."""

    id = "faithful"
    policies: JsonObject = {
        "actions": {
            "timeout": 200,
            "onFailure": "fallback",
            "fallback": {"effects": [{"effect": "reply", "data": "closed"}]},
        },
        "participantRegistration": {"timeout": 150, "onFailure": "fail"},
    }


def _raise(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


async def _coroutine() -> JsonObject:
    return {"effects": []}


WAYS: dict[str, Callable[[], object]] = {
    "raise": _raise(ValueError("no idea")),
    "exit": _raise(SystemExit(1)),
    "interrupt": _raise(KeyboardInterrupt()),
    "text": lambda: "soup",
    "number": lambda: 7,
    "object": object,
    "coroutine": _coroutine,
    "field": lambda: {"effects": [], "unheard": 1},
    "shape": lambda: {"effects": "all of them"},
    "effect": lambda: {"effects": [{"effect": "takeOver"}]},
    "many": lambda: {"effects": [{"effect": "reply"}] * 201},
    "huge": lambda: {"effects": [{"effect": "reply", "data": "x" * 2_000_000}]},
}


BROKEN = ("raise", "text", "block")


@pytest.fixture
def clock() -> Clock:
    return LoadTolerantClock()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep what the host logs: printing a traceback takes longer than all the rest."""
    with capture_logs():
        yield


@pytest.fixture
def apps() -> Iterator[dict[str, Wreck]]:
    apps = {app.id: app for app in (Wreck(), Drifter(), Faithful())}
    yield apps
    for app in apps.values():
        app.held.set()


@pytest.fixture
async def host(
    database: Database, clock: Clock, tmp_path: Path, apps: dict[str, Wreck]
) -> AsyncIterator[HostHarness]:
    host = await make_host(database, clock, tmp_path, apps)
    yield host
    async with asyncio.timeout(HANG_TIMEOUT):
        await host.services.dispatcher.close()


async def do(host: HostHarness, room: RoomRow, **payload: Any) -> object:
    async with asyncio.timeout(HANG_TIMEOUT):
        return (await perform(host.services, room.id, host.organizer, "do", payload)).reply


async def everything(host: HostHarness) -> dict[str, list[tuple[object, ...]]]:
    """Return all that rooms hold, to be compared."""
    tables: list[type[Base]] = [
        RoomRow, RoomEventRow, RoomStateRow, ParticipantRow, PrizeRow, WinnerRow, TimerRow,
        ScoreRow, NotificationRow,
    ]  # fmt: skip
    async with host.services.database.read() as session:
        return {
            table.__tablename__: sorted(
                map(repr, (await session.execute(select(*table.__table__.columns))).all())
            )
            for table in tables
        }  # type: ignore[return-value]  # rows as text


CODES = {
    "raise": "APP_FAILED",
    "exit": "APP_FAILED",
    "interrupt": "APP_FAILED",
    "block": "APP_TIMEOUT",
    "text": "APP_BAD_RESULT",
    "number": "APP_BAD_RESULT",
    "object": "APP_BAD_RESULT",
    "coroutine": "APP_BAD_RESULT",
    "field": "APP_BAD_RESULT",
    "shape": "APP_BAD_RESULT",
    "effect": "APP_BAD_RESULT",
    "many": "APP_BAD_RESULT",
    "huge": "APP_BAD_RESULT",
}


@pytest.mark.parametrize("app_id", ["wreck", "drifter"])
async def test_an_app_that_breaks_is_named_and_changes_nothing(
    host: HostHarness, app_id: str
) -> None:
    room = await host.start(app_id)
    before = await everything(host)
    named = {}
    for way in CODES:
        with pytest.raises(Unavailable) as caught:
            await do(host, room, **{"break": way})
        named[way] = caught.value.code
        assert caught.value.status == 503
        assert "no idea" not in caught.value.message
        assert await everything(host) == before, way
    assert named == CODES
    assert await do(host, room, effects=[{"effect": "reply", "data": "well"}]) == "well"


async def test_a_coroutine_that_clings_to_life_is_left_behind(
    host: HostHarness, apps: dict[str, Wreck]
) -> None:
    room = await host.start("drifter")
    with pytest.raises(Unavailable) as caught:
        await do(host, room, **{"break": "cling"})
    assert caught.value.code == "APP_TIMEOUT"
    assert await do(host, room, effects=[{"effect": "reply", "data": "well"}]) == "well"
    assert isinstance(drifter := apps["drifter"], Drifter)
    assert drifter.stubborn


LIES: list[tuple[JsonObject, str]] = [
    ({"effect": "award", "participantId": "THEIRS", "prizeId": "MINE"}, "PARTICIPANT_NOT_FOUND"),
    ({"effect": "award", "participantId": "ME", "prizeId": "PRIZE"}, "PRIZE_NOT_FOUND"),
    ({"effect": "award", "participantId": "ME", "prizeId": "EMPTY"}, "PRIZE_EXHAUSTED"),
    ({"effect": "adjust", "participantId": "THEIRS", "points": 9, "reason": "x"},
     "PARTICIPANT_NOT_FOUND"),
    ({"effect": "setParticipants", "participantId": ["THEIRS"], "own": [{"x": 1}]},
     "PARTICIPANT_NOT_FOUND"),
    ({"effect": "notify", "to": ["THEIRS"], "title": "x"}, "PARTICIPANT_NOT_FOUND"),
    ({"effect": "fulfill", "winnerId": "WIN"}, "WINNER_NOT_FOUND"),
    ({"effect": "revoke", "winnerId": "WIN", "reason": "x"}, "WINNER_NOT_FOUND"),
    ({"effect": "draw", "key": "k", "prizes": [{"prizeId": "PRIZE", "count": 1}]},
     "PRIZE_NOT_FOUND"),
    ({"effect": "emit", "type": "wreck:unheard"}, "EVENT_UNDECLARED"),
    ({"effect": "emit", "type": "room:status_changed"}, "EVENT_UNDECLARED"),
    ({"effect": "emit", "type": "wreck:whispered", "to": "public"}, "VISIBILITY_TOO_WIDE"),
    ({"effect": "emit", "type": "wreck:whispered", "to": "organizer"}, "VISIBILITY_TOO_WIDE"),
    ({"effect": "emit", "type": "wreck:said", "to": ["THEIRS"]}, "PARTICIPANT_NOT_FOUND"),
    ({"effect": "setState", "private": {"x": "y" * 131_073}}, "STATE_TOO_LARGE"),
    ({"effect": "setSettings", "patch": {"limit": 2}}, "SETTINGS_FROZEN"),
]  # fmt: skip


async def test_an_app_that_lies_is_refused_whole(host: HostHarness) -> None:
    room, other = await host.start("wreck"), await host.start("drifter")
    theirs = (await host.guest(other)).participant.id
    prize = await host.prize(other, 2)
    win = {"effect": "award", "participantId": theirs, "prizeId": prize}
    await do(host, other, effects=[win])
    async with host.services.database.read() as session:
        won = (await session.scalars(select(WinnerRow.id))).one()
    me = (await host.guest(room)).participant.id
    mine, empty = await host.prize(room), await host.prize(room)
    someone = (await host.guest(room, "Bob")).participant.id
    await do(host, room, effects=[{"effect": "award", "participantId": someone, "prizeId": empty}])
    names = {"THEIRS": theirs, "PRIZE": prize, "WIN": won, "ME": me, "MINE": mine, "EMPTY": empty}
    before = await everything(host)

    truths = [
        {"effect": "setState", "public": {"on": True}},
        {"effect": "award", "participantId": me, "prizeId": mine},
        {"effect": "schedule", "name": "bell", "afterMs": 1000},
        {"effect": "notify", "to": "public", "title": "Hear"},
        {"effect": "adjust", "participantId": me, "points": 1, "reason": "here"},
    ]
    for lie, code in LIES:
        with pytest.raises(Conflict) as caught:
            await do(host, room, effects=[*truths, _named(lie, names)])
        assert (caught.value.code, caught.value.details["code"]) == ("EFFECT_REFUSED", code)
        assert caught.value.details["index"] == len(truths)
        assert await everything(host) == before, lie


def _named(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _named(part, names) for key, part in value.items()}
    if isinstance(value, list):
        return [_named(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


@pytest.mark.parametrize("app_id", ["wreck", "drifter"])
async def test_who_joins_while_the_app_is_broken_waits_for_an_organizer(
    host: HostHarness, app_id: str
) -> None:
    room = await host.start(app_id)
    for number, way in enumerate(BROKEN, start=1):
        async with asyncio.timeout(HANG_TIMEOUT):
            joined = await host.guest(room, answers={"break": way})
        assert joined.participant.status == ParticipantStatus.PENDING, way
        told = await host.events(room.id, "app:fallback_used")
        assert len(told) == number
        assert told[-1].payload["hook"] == "register_participant"
        assert (told[-1].payload["decidedBy"], told[-1].stream) == ("review", "organizer")


async def test_a_crowd_that_meets_a_blocking_app_is_let_wait_and_nobody_else(
    host: HostHarness,
) -> None:
    room, other = await host.start("wreck"), await host.start("drifter")
    async with asyncio.timeout(HANG_TIMEOUT):
        crowd = [host.guest(room, f"Guest {n}", {"break": "block"}) for n in range(40)]
        *blocked, elsewhere = await asyncio.gather(*crowd, host.guest(other))
    assert {each.participant.status for each in blocked} == {ParticipantStatus.PENDING}
    assert elsewhere.participant.status == ParticipantStatus.ACTIVE


async def test_where_the_manifest_wants_it_a_broken_registration_lets_nobody_in(
    host: HostHarness,
) -> None:
    room = await host.start("faithful")
    with pytest.raises(Unavailable):
        await host.guest(room, answers={"break": "raise"})
    assert await host.count(ParticipantRow, room_id=room.id, role="PARTICIPANT") == 0


async def test_a_literal_of_the_manifests_stands_in_for_an_action(host: HostHarness) -> None:
    room = await host.start("faithful")
    for way in BROKEN:
        assert await do(host, room, **{"break": way}) == "closed", way
    told = await host.events(room.id, "app:fallback_used")
    assert [(event.payload["decidedBy"], event.stream) for event in told] == [
        ("fallback", "organizer")
    ] * len(BROKEN)


@pytest.mark.parametrize("app_id", ["wreck", "drifter"])
@pytest.mark.parametrize("way", BROKEN)
async def test_settings_are_checked_by_their_schema_alone_while_the_app_is_broken(
    host: HostHarness, app_id: str, way: str
) -> None:
    async with asyncio.timeout(HANG_TIMEOUT):
        room = await host.start(app_id, settings={"break": way})
        with pytest.raises(MymozhemError):
            await host.room(app_id, settings={"break": way, "limit": 0})
    assert room.status == RoomStatus.ACTIVE
    told = await host.events(room.id, "app:fallback_used")
    assert [event.payload["decidedBy"] for event in told] == ["platform", "platform"]


async def test_while_an_app_blocks_a_room_every_other_room_goes_on(
    host: HostHarness, apps: dict[str, Wreck]
) -> None:
    settings = host.services.settings.model_copy(update={"action_budget_ms": 30_000})
    patient = replace(host, services=replace(host.services, settings=settings))
    room, same, other = [await host.start(app_id) for app_id in ("faithful", "faithful", "drifter")]
    blocked = asyncio.create_task(do(patient, room, **{"break": "block"}))
    async with asyncio.timeout(HANG_TIMEOUT):
        await asyncio.to_thread(apps["faithful"].entered.wait, HANG_TIMEOUT)
        for each in (same, other):
            assert await do(host, each, effects=[{"effect": "reply", "data": "well"}]) == "well"
            assert (await host.guest(each)).new
            await host.change(each.id, status=RoomStatus.COMPLETED)
        assert (await host.guest(room)).new  # who joins the blocked room does not wait either
        assert await blocked == "closed"


async def test_a_host_closes_at_once_whatever_its_apps_are_doing(
    host: HostHarness, apps: dict[str, Wreck]
) -> None:
    rooms = [await host.start(app_id) for app_id in ("wreck", "drifter")]
    for room, way in zip(rooms, ("block", "cling"), strict=True):
        with pytest.raises(Unavailable):
            await do(host, room, **{"break": way})
    async with asyncio.timeout(HANG_TIMEOUT):
        await host.services.dispatcher.close()
    blocked = [each for each in threading.enumerate() if each.name.startswith("app-wreck")]
    assert blocked
    assert all(each.daemon for each in blocked)
    assert principal(await host.guest(rooms[1])).user_id


async def test_participants_read_no_fault_of_the_app_and_organizers_do(host: HostHarness) -> None:
    room = await host.start("wreck")
    guest = await host.guest(room)
    for by, words in ((guest, "The app of this room made a mistake."), (None, "handle_action")):
        with pytest.raises(Unavailable) as failed:
            await host.act(room, "do", {"break": "raise"}, by=by)
        assert words in failed.value.message
    lie: JsonObject = {"effects": [{"effect": "emit", "type": "wreck:unheard"}]}
    undeclared = "emit: The manifest declares no event 'wreck:unheard'."
    with pytest.raises(Conflict) as refused:
        await host.act(room, "do", lie, by=guest)
    assert refused.value.message.startswith("The app of this room made a mistake")
    assert refused.value.details["reason"] == undeclared
    with pytest.raises(Conflict) as refused:
        await host.act(room, "do", lie)
    assert refused.value.message == undeclared
