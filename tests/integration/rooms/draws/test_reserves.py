"""Reserves of draws: asked for, sealed, shown with the last prize, told to the app."""

import json

import pytest
from sqlalchemy import func, select

from mymozhem.contract import ActionRequest, DrawStatus, Level, PreparedDraw, fair, hookimpl
from mymozhem.errors import Conflict, NotFound
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.record import list_draws, record
from mymozhem.rooms.participants.manage import leave
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.tables.draws import DrawRow, RevealMode
from tests.support.apps.draw_app import DrawApp
from tests.support.draw_room import Event
from tests.support.host import make_host, principal


class Reserved(DrawApp):
    """An app that is told of reserves, and whose last question a test can look at."""

    @hookimpl
    def app_manifest(self):
        return super().app_manifest() | {"needs": {"action:do": ["reserves"]}}

    @hookimpl
    def handle_action(self, context, request: ActionRequest):
        self.told = context.reserves
        return {"effects": request.payload.get("effects", [])}

    async def reserves_of(self, event):
        await perform(event.services, event.room.id, event.host.organizer, "do", {})
        return list(self.told.rows())


@pytest.fixture
def app():
    return Reserved()


@pytest.fixture
async def event(database, clock, tmp_path, app):
    host = await make_host(database, clock, tmp_path, {"drawer": app})
    room = await host.start("drawer")
    guests = await host.guests(room, 6)
    event = Event(host, room, [joined.participant.id for joined in guests])
    event.guests = {joined.participant.id: joined for joined in guests}
    yield event
    await event.jobs.stop()
    await host.services.dispatcher.close()


async def test_who_comes_next_is_in_the_draw_and_its_record_and_a_stranger_finds_the_same(event):
    prize = await event.host.prize(event.room, quantity=2)
    draw = await event.draw((prize, 2), reserves=3)
    assert draw.rule["reserves"] == 3
    people = [each["participantId"] for each in (*draw.picks, *draw.reserves)]
    assert len(set(people)) == 5
    verification = await event.verified(draw.id)
    assert verification.ok
    assert [each.participant_id for each in verification.record.reserves] == people[2:]
    public = await event.see(draw.id, Level.PUBLIC)
    assert public.reserves == draw.reserves
    async with event.services.database.read() as session:
        [listed], _ = await list_draws(session, event.room.id, level=Level.ORGANIZER)
    assert listed.reserves is None


async def test_a_draw_without_reserves_has_a_rule_and_a_record_as_ever(event):
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1))
    document = json.loads(await record(event.services, event.room.id, draw.id))
    assert draw.reserves is None
    assert "reserves" not in document
    assert "reserves" not in document["rule"]


async def test_where_people_may_win_several_prizes_each_prize_has_its_own(event, app):
    app.behaviour["prepare"] = lambda *_: PreparedDraw(each="perPrize", reserves=2)
    prizes = [await event.host.prize(event.room, name=name) for name in "AB"]
    draw = await event.draw(*((prize, 1) for prize in prizes))
    assert [each["prizeId"] for each in draw.reserves] == [prizes[0]] * 2 + [prizes[1]] * 2
    assert (await event.verified(draw.id)).ok


async def test_reserves_are_sealed_until_the_last_prize_is_revealed(event, app):
    first, second = [await event.host.prize(event.room, name=name) for name in "AB"]
    draw = await event.draw((first, 1), (second, 1), reserves=2, reveal=RevealMode.MANUAL)
    assert draw.status is DrawStatus.DRAWN
    await event.act(commands.reveal, draw.id, [first])
    for level in (Level.ORGANIZER, Level.PUBLIC):
        assert (await event.see(draw.id, level)).reserves is None
    assert await app.reserves_of(event) == []
    with pytest.raises(NotFound):
        await record(event.services, event.room.id, draw.id)
    await event.act(commands.reveal, draw.id)
    reserves = (await event.see(draw.id, Level.PUBLIC)).reserves
    assert len(reserves) == 2
    assert [each.participant_id for each in await app.reserves_of(event)] == [
        each["participantId"] for each in reserves
    ]


async def test_an_app_is_told_who_takes_part_still_draw_after_draw(event, app):
    prize = await event.host.prize(event.room, quantity=2)
    draws = [await event.draw((prize, 1), reserves=2) for _ in range(2)]
    told = await app.reserves_of(event)
    expected = [(draw.id, each["participantId"]) for draw in draws for each in draw.reserves]
    assert [(each.draw_id, each.participant_id) for each in told] == expected
    assert all(each.active and each.prize_id is None for each in told)
    gone = told[1].participant_id
    caller = principal(event.guests[gone])
    await leave(event.services, event.room.id, caller)
    assert {each.participant_id for each in await app.reserves_of(event) if not each.active} == {
        gone
    }


async def test_what_an_app_notes_with_a_draw_comes_back_when_it_is_prepared_and_reaches_nobody(
    event, app
):
    await event.host.prize(event.room)
    wish = {"effect": "draw", "key": "k", "run": True, "reserves": 4, "data": {"only": ["x", 1]}}
    caller = event.host.organizer
    await perform(event.services, event.room.id, caller, "do", {"effects": [wish]})
    await event.jobs.run_due()
    [asked] = [each for each in app.asked if hasattr(each, "candidates")]
    assert (asked.reserves, asked.data) == (4, {"only": ["x", 1]})
    async with event.services.database.read() as session:
        [draw] = list(await session.scalars(select(DrawRow)))
    assert len((await event.see(draw.id)).reserves) == 4
    assert b"only" not in await record(event.services, event.room.id, draw.id)
    log = [str(each.payload) for each in await event.host.events(event.room.id)]
    assert not any("only" in payload for payload in log)


async def test_the_app_settles_how_many_are_in_reserve(event, app):
    found = []
    for answer in (None, 0, 3, 9):
        app.behaviour["prepare"] = lambda *_, n=answer: PreparedDraw(reserves=n)
        prize = await event.host.prize(event.room)
        found.append((await event.draw((prize, 1), reserves=2)).reserves)
    assert [None if each is None else len(each) for each in found] == [2, None, 3, 5]


async def test_an_algorithm_of_the_apps_own_names_no_reserves_unless_the_host_decides(event, app):
    app.behaviour["prepare"] = lambda *_: PreparedDraw(algorithm="app", reserves=2)
    prize = await event.host.prize(event.room, quantity=2)
    own = await event.draw((prize, 1))
    assert own.reserves == ()
    assert (await event.verified(own.id)).verdict is fair.Verdict.NOT_VERIFIABLE
    app.behaviour["select"] = lambda *_: {"picks": []}
    fallback = await event.draw((prize, 1))
    assert len(fallback.reserves) == 2
    assert (await event.verified(fallback.id)).ok


async def test_a_void_forgets_them(event):
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1), reserves=2, reveal=RevealMode.MANUAL)
    await event.act(commands.void, draw.id, "a chair was counted twice")
    assert (await event.see(draw.id)).reserves is None
    async with event.services.database.read() as session:
        kept = select(func.count()).where(DrawRow.reserves.is_not(None))
        assert await session.scalar(kept) == 0


async def test_a_redraw_may_have_reserves_of_its_own_and_leaves_out_who_was_drawn(event):
    prize = await event.host.prize(event.room)
    first = await event.draw((prize, 1), reserves=2)
    [win] = await event.wins()
    with pytest.raises(Conflict):
        await event.request(replaces=win.id, reserves=9)
    await event.do(winners.revoke, win.id, reason="not here")
    again = await event.draw(replaces=win.id, reserves=9)
    people = [each["participantId"] for each in (*again.picks, *again.reserves)]
    assert sorted(people) == sorted(set(event.people) - {win.participant_id})
    assert first.picks[0]["participantId"] == win.participant_id
    assert (await event.verified(again.id)).ok
