"""Candidates are read page by page, and compared with those of the commit in the same way."""

import json

import pytest
from sqlalchemy import event as database_event

from mymozhem.contract import DrawStatus, PreparedDraw
from mymozhem.rooms.draws import entries, snapshot
from mymozhem.rooms.participants.add_people import NewPerson, add_people
from mymozhem.rooms.participants.manage import remove

pytestmark = pytest.mark.both_engines


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(snapshot, "CHUNK", 2)


@pytest.mark.parametrize("more", [0, 1])
async def test_no_statement_reads_more_candidates_than_a_page(event, more):
    prize = await event.host.prize(event.room)
    late = [await event.host.guest(event.room, f"More {number}") for number in range(more)]
    people = event.people + [joined.participant.id for joined in late]
    read = []
    async with event.services.database.read() as session:
        reader = (await session.connection()).engine.sync_engine

    @database_event.listens_for(reader, "before_cursor_execute")
    def note(_connection, _cursor, statement, *_):
        if "last_seen_at" in statement and "participants" in statement:
            read.append("LIMIT" in statement)

    draw = await event.draw((prize, 1))
    assert (draw.status, draw.entry_count) == (DrawStatus.REVEALED, len(people))
    assert all(read)
    assert len(read) > len(people) // 2
    record = (await event.verified(draw.id)).record
    assert list(record.entries.participants) == sorted(people)


@pytest.mark.parametrize("place", [0, 3, 5])
async def test_whoever_leaves_while_the_draw_is_prepared_is_no_entry(event, app, place):
    gone = sorted(event.people)[place]
    left = []

    async def prepare(*_):
        if not left:
            left.append(gone)
            await remove(event.services, event.room.id, event.host.organizer, gone)
        return PreparedDraw()

    app.behaviour["prepare"] = prepare
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1))
    record = (await event.verified(draw.id)).record
    assert list(record.entries.participants) == sorted(set(event.people) - {gone})


async def test_whoever_joins_meanwhile_is_no_entry_and_stops_nothing(event, app):
    asked = []

    async def prepare(*_):
        asked.append(1)
        await event.host.guest(event.room, "Late")
        return PreparedDraw()

    app.behaviour["prepare"] = prepare
    draw = await event.draw((await event.host.prize(event.room), 1))
    assert (draw.entry_count, len(asked)) == (6, 1)


def test_chunks_are_small_and_hold_what_they_were_given():
    rows = [(f"part_{n:032x}", "guest", {"tickets": n}, n, None, None) for n in range(500)]
    chunk = entries.write_chunk(rows)
    assert [tuple(row) for row in entries.read_chunk(chunk)] == rows
    assert len(chunk) < 20_000


async def test_equal_metadata_are_one_object_and_different_ones_stay_apart(event, app):
    given = [{"n": 1}, {"n": True}, {"n": 1}, {"n": "1"}, {"n": [1]}, {"n": [1]}, {}, {}]
    more = tuple(NewPerson(f"Guest {at}", metadata=each) for at, each in enumerate(given))
    await add_people(event.services, event.room.id, event.host.organizer, more)
    seen = []

    async def prepare(_, request):
        seen.extend(request.candidates.metadata)
        return PreparedDraw()

    app.behaviour["prepare"] = prepare
    await event.draw((await event.host.prize(event.room), 1))
    written = sorted(json.dumps(each) for each in seen)
    assert written == sorted(json.dumps(each) for each in [*given, *[{}] * 6])
