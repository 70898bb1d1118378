"""Batch actions: waiting calls travel together, and each is applied or refused alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from mymozhem.clock import Clock
from mymozhem.contract import ActionRequest, Context, JsonObject, ParticipantStatus, hookimpl
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Forbidden, Invalid, MymozhemError, Refused, Unavailable
from mymozhem.idempotency.keys import AlreadyDone, Claim, InProgress, release, reserve
from mymozhem.rooms.actions.perform import ActionResponse, perform
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.coordination.room_mutex import RoomBusy
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from tests.support.host import HostHarness, make_host, principal
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock

pytestmark = pytest.mark.both_engines


class Buzzer:
    """Ranks those who press; while `gate` is closed it thinks about the first request."""

    policies: JsonObject = {}

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()
        self.asked: list[ActionRequest] = []
        self.answers = -1

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "id": "buzzer",
            "meta": {"name": "Buzzer", "version": "1.0.0", "description": "Who was first?"},
            "capabilities": ["actions"],
            "permissions": [],
            "policies": self.policies,
            "actions": {
                "press": {
                    "roles": ["PARTICIPANT"],
                    "batch": True,
                    "payload": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"prizeId": {"type": "string"}, "say": {"type": "string"}},
                    },
                },
                "reset": {"roles": ["ORGANIZER"]},
            },
            "events": {"buzzer:pressed": {"visibility": "public"}},
        }

    @hookimpl
    async def handle_action(self, context: Context, request: ActionRequest) -> JsonObject:
        self.asked.append(request)
        if request.calls is None:
            return {"effects": [{"effect": "setState", "public": {"order": []}}]}
        self.entered.set()
        await self.gate.wait()
        assert context.room is not None
        assert context.actor is None
        order = list(context.room.state.public.get("order", []))  # type: ignore[arg-type]  # a list
        answers = [self._answer(order, call) for call in request.calls]
        return {"answers": answers[: self.answers] if self.answers >= 0 else answers}

    def _answer(self, order: list[object], call: object) -> JsonObject:
        who, say = call.actor.participant_id, call.payload.get("say")  # type: ignore[attr-defined]  # an ActionCall
        if say == "refuse":
            return {"refuse": {"code": "TOO_LATE", "message": "Somebody was faster."}}
        undone = [{"effect": "award", "participantId": who, "prizeId": "elsewhere"}] if say else []
        prize = call.payload.get("prizeId")  # type: ignore[attr-defined]  # likewise
        won = [{"effect": "award", "participantId": who, "prizeId": prize}] if prize else []
        pressed = [*order, who]
        if not undone:
            order.append(who)
        effects = [
            {"effect": "setState", "public": {"order": pressed}},
            {"effect": "setParticipants", "participantId": [who], "own": [{"place": len(pressed)}]},
            {"effect": "emit", "type": "buzzer:pressed", "payload": {"by": who}},
            *won,
            *undone,
            {"effect": "reply", "data": len(pressed)},
        ]
        return {"effects": effects}


class Quitter(Buzzer):
    """An app with little time, and a word for when it is over."""

    policies: JsonObject = {
        "actions": {
            "timeout": 150,
            "onFailure": "fallback",
            "fallback": {"effects": [{"effect": "reply", "data": "later"}]},
        }
    }


@pytest.fixture
def clock() -> Clock:
    return LoadTolerantClock()


@pytest.fixture
def app() -> Buzzer:
    return Buzzer()


@pytest.fixture
async def host(
    database: Database, clock: Clock, tmp_path: Path, app: Buzzer
) -> AsyncIterator[HostHarness]:
    host = await make_host(database, clock, tmp_path, {"buzzer": app})
    yield host
    app.gate.set()
    await host.services.dispatcher.close()


async def press(
    host: HostHarness, room: RoomRow, who: JoinResult, **payload: str
) -> ActionResponse:
    async with asyncio.timeout(HANG_TIMEOUT):
        return await perform(host.services, room.id, principal(who), "press", dict(payload))


class Presses:
    """One press that is being thought about, and others that wait behind it."""

    def __init__(self, host: HostHarness, app: Buzzer, room: RoomRow) -> None:
        self.host, self.app, self.room = host, app, room
        self.tasks: list[asyncio.Task[ActionResponse]] = []

    async def add(self, who: JoinResult, **payload: str) -> asyncio.Task[ActionResponse]:
        """Press, and return once it is in line."""
        before = self._in_line()
        self.tasks.append(asyncio.create_task(press(self.host, self.room, who, **payload)))
        async with asyncio.timeout(HANG_TIMEOUT):
            while self._in_line() == before:  # noqa: ASYNC110  a line tells nobody that it grew
                await asyncio.sleep(0)
            await self.app.entered.wait()
        return self.tasks[-1]

    def _in_line(self) -> int:
        return self.host.services.action_batches.pending((self.room.id, "press"))

    async def finish(self) -> list[object]:
        """Let the app answer, and return what came of each: replies, or codes of errors."""
        self.app.gate.set()
        found = await asyncio.gather(*self.tasks, return_exceptions=True)
        return [each.code if isinstance(each, MymozhemError) else each.reply for each in found]  # type: ignore[union-attr]  # or it failed


@pytest.fixture
async def room(host: HostHarness) -> RoomRow:
    return await host.start("buzzer")


@pytest.fixture
def presses(host: HostHarness, app: Buzzer, room: RoomRow) -> Presses:
    return Presses(host, app, room)


async def order(host: HostHarness, room: RoomRow) -> object:
    async with host.services.database.read() as session:
        row = (await session.scalars(select(RoomStateRow).filter_by(room_id=room.id))).one()
    return row.public.get("order")


def sizes(app: Buzzer) -> list[int]:
    return [len(request.calls or ()) for request in app.asked]


async def test_a_call_that_waits_for_nobody_travels_as_a_batch_of_one(
    host: HostHarness, app: Buzzer, room: RoomRow
) -> None:
    app.gate.set()
    ada = await host.guest(room)
    assert (await press(host, room, ada)).reply == 1
    assert (await press(host, room, ada)).reply == 2
    assert sizes(app) == [1, 1]
    assert len(host.services.action_batches) == 0


async def test_calls_that_wait_travel_together_and_are_answered_in_order(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    people = await host.guests(presses.room, 6)
    for who in people:
        await presses.add(who)
    assert await presses.finish() == [1, 2, 3, 4, 5, 6]

    assert sizes(app) == [1, 5]
    places = [who.participant.id for who in people]
    assert await order(host, presses.room) == places
    events = await host.events(presses.room.id, "buzzer:pressed")
    assert [event.payload["by"] for event in events] == places
    assert [event.actor_id for event in events] == [who.user_id for who in people]
    own = await host.events(presses.room.id, "state:own_changed")
    assert [(event.stream, event.payload["own"]["place"]) for event in own] == [
        (place, number) for number, place in enumerate(places, start=1)
    ]
    cursors = [task.result().cursor for task in presses.tasks]
    assert len(set(cursors)) == len(cursors)


async def test_each_call_is_applied_or_refused_alone(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    people = await host.guests(presses.room, 7)
    prize = await host.prize(presses.room, 1)
    payloads: list[dict[str, str]] = [
        {}, {"say": "lie"}, {"prizeId": prize}, {"say": "refuse"}, {"prizeId": prize}, {}, {},
    ]  # fmt: skip
    for who, payload in zip(people, payloads, strict=True):
        await presses.add(who, **payload)
    found = await presses.finish()

    # The app did not know that the fifth would not get the prize, so its count went on.
    assert found == [1, "EFFECT_REFUSED", 2, "TOO_LATE", "EFFECT_REFUSED", 4, 5]
    assert sizes(app) == [1, 6]
    with pytest.raises(MymozhemError) as caught:
        presses.tasks[4].result()
    assert caught.value.details["code"] == "PRIZE_EXHAUSTED"
    events = await host.events(presses.room.id, "buzzer:pressed")
    done = [people[number] for number in (0, 2, 5, 6)]
    assert [event.payload["by"] for event in events] == [who.participant.id for who in done]
    assert await host.count(WinnerRow) == 1
    async with host.services.database.read() as session:
        rows = {row.id: row.own for row in await session.scalars(select(ParticipantRow))}
    assert [bool(rows[who.participant.id]) for who in people] == [who in done for who in people]
    log = await host.events(presses.room.id)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))


async def test_who_may_not_is_refused_before_waiting(host: HostHarness, room: RoomRow) -> None:
    ada = await host.guest(room)
    with pytest.raises(Invalid):
        await press(host, room, ada, unknown="x")
    with pytest.raises(Forbidden):
        await perform(host.services, room.id, host.organizer, "press", {})


async def test_who_is_removed_while_waiting_is_refused_alone(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    people = await host.guests(presses.room, 3)
    for who in people:
        await presses.add(who)
    async with room_transaction(host.services, presses.room.id) as transaction:
        row = await transaction.session.get_one(ParticipantRow, people[1].participant.id)
        row.status = ParticipantStatus.REMOVED
    first, gone, last = await presses.finish()
    assert (first, last) == (1, 2)
    assert gone in {"FORBIDDEN", "ROOM_NOT_FOUND"}


async def test_a_batch_whose_ground_moved_is_asked_again(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    ada, bob = await host.guests(presses.room, 2)
    await presses.add(ada)
    async with room_transaction(host.services, presses.room.id) as transaction:
        state = (await transaction.session.scalars(select(RoomStateRow))).one()
        state.public, state.version = {"order": ["nobody"]}, state.version + 1
    await presses.add(bob)
    # What waited meanwhile is taken along when the app is asked again.
    assert await presses.finish() == [2, 3]
    assert sizes(app) == [1, 2]


async def test_an_app_that_answers_fewer_than_were_asked_answered_nobody(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    app.answers = 1
    for who in await host.guests(presses.room, 3):
        await presses.add(who)
    assert await presses.finish() == [1, "APP_BAD_RESULT", "APP_BAD_RESULT"]
    assert len(await host.events(presses.room.id, "buzzer:pressed")) == 1


async def test_who_goes_away_takes_nobody_along(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    people = await host.guests(presses.room, 4)
    tasks = [await presses.add(who) for who in people]
    for task in (tasks[0], tasks[2]):
        task.cancel()
    await asyncio.wait((tasks[0], tasks[2]))
    presses.tasks = [tasks[1], tasks[3]]
    assert await presses.finish() == [1, 2]
    assert await order(host, presses.room) == [people[n].participant.id for n in (1, 3)]


async def test_who_has_no_time_left_is_told_so_and_nothing_is_done_for_them(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    ada, bob = await host.guests(presses.room, 2)
    await presses.add(ada)
    settings = host.services.settings.model_copy(update={"action_budget_ms": 100})
    presses.host = replace(host, services=replace(host.services, settings=settings))
    hurried = await presses.add(bob)
    with pytest.raises(RoomBusy):
        await hurried
    assert await presses.finish() == [1, "ROOM_BUSY"]
    assert await order(host, presses.room) == [ada.participant.id]


async def test_a_key_is_marked_with_the_effect_of_its_own_call(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    people = await host.guests(presses.room, 3)
    claims = [Claim(who.user_id, "press", "key", "digest") for who in people]

    async def keyed(who: JoinResult, claim: Claim, **payload: str) -> ActionResponse:
        await reserve(host.services.database, claim, hours=1)
        return await press(host, presses.room, who, **payload)

    await presses.add(people[0])
    tasks = [
        asyncio.create_task(keyed(people[1], claims[1])),
        asyncio.create_task(keyed(people[2], claims[2], say="refuse")),
    ]
    app.gate.set()
    done, refused = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(done, ActionResponse)
    assert isinstance(refused, Refused)
    for claim in claims[1:]:  # gives up only what was not done
        await release(host.services.database, claim)
    with pytest.raises((InProgress, AlreadyDone)):
        await reserve(host.services.database, claims[1], hours=1)
    assert await reserve(host.services.database, claims[2], hours=1) is None


async def test_a_batch_and_other_actions_take_turns(
    host: HostHarness, app: Buzzer, presses: Presses
) -> None:
    people = await host.guests(presses.room, 3)
    for who in people:
        await presses.add(who)
    reset = perform(host.services, presses.room.id, host.organizer, "reset", {})
    task = asyncio.create_task(reset)
    assert await presses.finish() == [1, 1, 2]
    await task
    assert sizes(app) == [1, 0, 2]
    assert await order(host, presses.room) == [who.participant.id for who in people[1:]]


class TestWithAFallback:
    @pytest.fixture
    def app(self) -> Buzzer:
        return Quitter()

    async def test_a_literal_holds_for_every_call(
        self, host: HostHarness, app: Buzzer, room: RoomRow
    ) -> None:
        people = await host.guests(room, 3)
        found = await asyncio.gather(*(press(host, room, who) for who in people))
        assert [each.reply for each in found] == ["later"] * 3
        assert await host.events(room.id, "app:fallback_used")


class TestWithoutOne:
    @pytest.fixture
    def app(self) -> Buzzer:
        app = Buzzer()
        app.policies = {"actions": {"timeout": 150}}
        return app

    async def test_everybody_is_told_that_the_app_did_not_answer(
        self, host: HostHarness, app: Buzzer, room: RoomRow
    ) -> None:
        people = await host.guests(room, 3)
        found = await asyncio.gather(
            *(press(host, room, who) for who in people), return_exceptions=True
        )
        assert {each.code for each in found if isinstance(each, Unavailable)} == {"APP_TIMEOUT"}
        assert await host.events(room.id, "buzzer:pressed") == []
        app.gate.set()
        assert (await press(host, room, people[0])).reply == 1
