"""Draws of an app's own items: committed, drawn, revealed step by step, verified by strangers."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from mymozhem.contract import (
    ActionRequest,
    Change,
    Context,
    DrawItems,
    DrawStatus,
    Effects,
    JsonObject,
    Level,
    Reveal,
    RoomChangeRequest,
    RoomStatus,
    fair,
    hookimpl,
)
from mymozhem.errors import Conflict, NotFound
from mymozhem.rooms.draws import commands, manage
from mymozhem.rooms.draws.record import find_draw, record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.prizes import WinnerRow
from tests.support.draw_room import Event
from tests.support.transports import HOUSES

BALLS = [f"ball-{number}" for number in range(1, 21)]


class Bingo:
    """Does what its action says, and notes what was drawn."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.asked: list[str] = []

    @hookimpl
    def app_manifest(self) -> JsonObject:
        return {
            "manifestVersion": 1,
            "id": "bingo",
            "meta": {"name": "Bingo", "version": "1.0.0", "description": "Balls."},
            "contract": ">=1.1 <2.0",
            "capabilities": ["actions", "roomChanges", "winnerSelection"],
            "permissions": [],
            "changes": ["draw", "winner"],
            "actions": {"do": {"roles": ["ORGANIZER"]}},
        }

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> JsonObject:
        return {"effects": request.payload["effects"]}

    @hookimpl
    def prepare_draw(self) -> JsonObject:
        self.asked.append("prepare_draw")
        return {}

    @hookimpl
    def on_room_changed(self, context: Context, request: RoomChangeRequest) -> Effects:
        self.changes.append(request.change)
        return Effects()


@pytest.fixture
def app() -> Bingo:
    return Bingo()


@pytest.fixture(params=["inprocess"])
async def event(request, database, clock, tmp_path, app) -> AsyncIterator[Event]:
    async with HOUSES[request.param](database, clock, tmp_path, {"bingo": app}) as host:
        room = await host.start("bingo")
        guests = await host.guests(room, 2)
        event = Event(host, room, [joined.participant.id for joined in guests])
        host.jobs = Jobs(host.services)
        yield event
        await host.jobs.stop()
        await event.jobs.stop()


OVER_BOTH = pytest.mark.parametrize("event", ["inprocess", "webhook"], indirect=True)


async def do(event: Event, *effects: JsonObject) -> None:
    await event.host.act(event.room, "do", {"effects": list(effects)})


async def start(event: Event, key: str = "balls", **more: Any) -> str:
    await do(event, {"effect": "drawItems", "key": key, "items": BALLS, "run": True} | more)
    async with event.services.database.read() as session:
        found = await session.scalar(select(DrawRow.id).where(DrawRow.key == key))
    assert found is not None
    return found


async def revealed(event: Event) -> list[Any]:
    return [each.payload for each in await event.host.events(event.room.id, "draw:revealed")]


@pytest.mark.both_engines
@OVER_BOTH
async def test_items_are_revealed_step_by_step_in_an_order_that_strangers_verify(event, app):
    draw_id = await start(event)
    hidden = await event.see(draw_id)
    assert (hidden.status, hidden.items, hidden.picks) == (DrawStatus.DRAWN, (), None)
    assert (hidden.entry_count, hidden.ticket_count, hidden.link_index) == (20, 20, 1)
    assert "ball-" not in json.dumps([each.payload for each in await event.host.events(
        event.room.id, "draw:requested", "draw:committed")])  # fmt: skip
    assert app.asked == []

    await do(event, {"effect": "reveal", "key": "balls", "next": 1})
    await do(event, {"effect": "reveal", "key": "balls", "next": 3})
    seen = await event.see(draw_id, Level.PUBLIC)
    assert (seen.status, len(seen.items or ()), seen.link) == (DrawStatus.DRAWN, 4, None)
    with pytest.raises(NotFound):
        await record(event.services, event.room.id, draw_id)

    await do(event, {"effect": "reveal", "key": "balls"})
    await do(event, {"effect": "reveal", "key": "balls", "next": 1})  # nothing is left
    told = await revealed(event)
    assert [len(each["items"]) for each in told] == [1, 3, 16]
    assert [each["complete"] for each in told] == [False, False, True]
    assert [each["prizes"] for each in told] == [[], [], []]
    order = [item for each in told for item in each["items"]]
    assert sorted(order) == sorted(BALLS)
    assert list((await event.see(draw_id, Level.PUBLIC)).items or ()) == order

    changes = [change for change in app.changes if change.what == "revealed"]
    assert [change.key for change in changes] == ["balls"] * 3
    assert [item for change in changes for item in change.items or ()] == order

    document = json.loads(await record(event.services, event.room.id, draw_id))
    assert document["rule"]["prizes"] == [{"prizeId": "items", "count": 20}]
    assert [pick["participantId"] for pick in document["picks"]] == order
    assert document["chain"]["anchor"] == event.room.draw_anchor
    assert fair.verify(document).ok
    document["picks"].reverse()
    assert not fair.verify(document).ok
    assert await event.host.count(WinnerRow) == 0
    assert (await event.host.replayed(event.room.id)).draws[draw_id] is DrawStatus.REVEALED


async def test_only_so_many_items_are_drawn(event):
    draw_id = await start(event, count=5, reveal="now")
    draw = await event.see(draw_id, Level.PUBLIC)
    assert (draw.status, len(set(draw.items or ()))) == (DrawStatus.REVEALED, 5)
    assert set(draw.items or ()) <= set(BALLS)
    assert (await event.verified(draw_id)).ok


async def test_a_draw_waits_for_its_run(event):
    draw_id = await start(event, run=False)
    assert (await event.see(draw_id)).status is DrawStatus.COMMITTED
    with pytest.raises(Conflict) as refused:
        await do(event, {"effect": "reveal", "key": "balls", "next": 1})
    assert refused.value.details["code"] == "DRAW_NOT_DRAWN"
    await do(event, {"effect": "runDraw", "key": "balls"})
    assert (await event.see(draw_id)).status is DrawStatus.DRAWN


async def test_a_public_source_binds_the_operator_as_well(event, clock):
    due = (await event.services.database.now() + timedelta(minutes=5)).isoformat()
    numbers = {"kind": "numbers", "count": 3, "min": 1, "max": 90, "ordered": False}
    source = {"name": "State lottery", "due": due, "format": numbers}
    draw_id = await start(event, publicSources=[source])
    assert (await event.see(draw_id)).status is DrawStatus.COMMITTED
    clock.advance(timedelta(minutes=6))
    draw = await event.see(draw_id)
    assert draw.guarantee == "beacon"
    with pytest.raises(Conflict) as unconfirmed:
        await event.act(commands.run, draw_id, [[7, 3, 5]])
    (value,) = unconfirmed.value.details["confirm"]
    await event.act(commands.run, draw_id, [[7, 3, 5]], [value])
    await event.host.settle()
    await event.act(commands.reveal, draw_id)
    assert (await event.verified(draw_id)).ok


async def test_prizes_and_draws_of_people_are_left_as_they_are(event):
    prize = await event.host.prize(event.room, quantity=2)
    draw_id = await start(event)
    await event.act(commands.reveal, draw_id)
    assert await event.left(prize) == 2
    people = await event.draw((prize, 2))
    assert (people.status, people.items, people.link_index) == (DrawStatus.REVEALED, None, 2)
    assert {pick["participantId"] for pick in people.picks or ()} == set(event.people)
    assert "items" not in (await revealed(event))[-1]
    assert await event.left(prize) == 0


async def test_the_next_items_of_a_draw_of_people_are_none(event):
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1), key="people")
    assert draw.status is DrawStatus.REVEALED
    with pytest.raises(Conflict) as refused:
        await do(event, {"effect": "reveal", "key": "people", "next": 1})
    assert refused.value.details["code"] == "DRAW_OF_PEOPLE"


async def test_an_organizer_reveals_the_next_items_as_well(event):
    draw_id = await start(event)
    reveal = manage.reveal_draw
    await reveal(event.services, event.room.id, event.host.organizer, draw_id, None, count=2)
    assert [len(each["items"]) for each in await revealed(event)] == [2]
    await reveal(event.services, event.room.id, event.host.organizer, draw_id, None)
    assert [each["complete"] for each in await revealed(event)] == [False, True]


async def test_items_have_no_prizes_to_reveal(event):
    await start(event)
    with pytest.raises(Conflict) as refused:
        await do(event, {"effect": "reveal", "key": "balls", "prizes": ["prize_1"]})
    assert refused.value.details["code"] == "PRIZE_NOT_FOUND"


async def test_a_hidden_draw_is_voided_in_public_and_a_partly_public_one_is_not(event):
    draw_id = await start(event)
    await event.act(commands.void, draw_id, "Wrong balls.")
    voided = json.loads(await record(event.services, event.room.id, draw_id))
    assert (voided["status"], voided["picks"]) == ("voided", [])
    assert len(voided["entries"]["participants"]) == 20

    again = await start(event, key="again")
    await do(event, {"effect": "reveal", "key": "again", "next": 2})
    with pytest.raises(Conflict, match="Items of this draw are public"):
        await event.act(commands.void, again, "Wrong balls.")


async def test_a_partly_public_order_becomes_public_as_a_whole_when_the_room_is_cancelled(event):
    draw_id = await start(event)
    await do(event, {"effect": "reveal", "key": "balls", "next": 2})
    await event.host.change(event.room.id, status=RoomStatus.CANCELLED)
    async with event.services.database.read() as session:
        draw = await find_draw(session, event.room.id, draw_id, level=Level.PUBLIC)
    assert (draw.status, len(draw.items or ())) == (DrawStatus.REVEALED, 20)
    assert (await event.verified(draw_id)).ok


async def test_the_next_draw_waits_until_all_items_are_public(event):
    await start(event)
    prize = await event.host.prize(event.room)
    waiting = await event.draw((prize, 1))
    assert waiting.status is DrawStatus.REQUESTED
    await do(event, {"effect": "reveal", "key": "balls"})
    assert (await event.see(waiting.id)).status is DrawStatus.REVEALED


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": ["a", "a"]},
        {"items": []},
        {"items": ["a b"]},
        {"items": ["a/b"]},
        {"items": [1]},
        {"items": ["a"], "count": 2},
        {"items": ["a"], "count": 0},
        {"items": ["a"], "count": "some"},
        {"items": [f"i{n}" for n in range(10_001)]},
    ],
    ids=lambda wrong: json.dumps(wrong)[:40],
)
def test_what_cannot_be_drawn_is_no_effect(wrong):
    with pytest.raises(ValueError, match="validation error"):
        DrawItems.model_validate({"effect": "drawItems", "key": "k"} | wrong)


@pytest.mark.parametrize("wrong", [{"next": 0}, {"next": True}, {"next": 1, "prizes": ["p"]}])
def test_what_cannot_be_revealed_is_no_effect(wrong):
    with pytest.raises(ValueError, match="validation error"):
        Reveal.model_validate({"effect": "reveal", "key": "k"} | wrong)
