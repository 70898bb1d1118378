"""Records are stored when a draw ends, for revealed and voided draws, and outlive their room."""

import json

import pytest
from sqlalchemy import select, update

from mymozhem.contract import DrawStatus, RoomStatus, fair
from mymozhem.contract.canonical_json import canonical_json
from mymozhem.errors import NotFound
from mymozhem.rooms.draws import commands, record_bytes
from mymozhem.rooms.draws.published_records import find_record, read_parts
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.lifecycle.update import delete_room
from mymozhem.rooms.participants.manage import remove
from mymozhem.rooms.prizes import winners
from mymozhem.rooms.tables.draws import DrawRecordPartRow, DrawRow, RevealMode

pytestmark = pytest.mark.both_engines


async def test_a_voided_draw_has_a_record_that_shows_who_would_have_won(event):
    prize = await event.host.prize(event.room, quantity=2)
    draw = await event.draw((prize, 2), reveal=RevealMode.MANUAL)
    drawn = [win.participant_id for win in await event.wins(sealed=True)]
    with pytest.raises(NotFound):
        await record(event.services, event.room.id, draw.id)
    await event.act(commands.void, draw.id, "a chair was counted twice")
    found = await event.verified(draw.id)
    assert found.verdict is fair.Verdict.VOIDED
    assert (found.record.status, found.record.picks) == ("voided", ())
    assert found.record.reason == "a chair was counted twice"
    would_be = fair.recompute(found.record, ())
    assert [pick.participant_id for pick in would_be.picks] == drawn


async def test_every_later_record_tells_how_many_draws_were_voided(event):
    prize = await event.host.prize(event.room, quantity=5)
    told = []
    for voided in (False, True, True, False):
        draw_id = await event.request((prize, 1), run=not voided)
        await event.jobs.run_due()
        if voided:
            await event.act(commands.void, draw_id, "again")
        told.append((await event.verified(draw_id)).record.voided_draws)
    assert told == [0, 0, 1, 2]


async def test_a_draw_that_was_only_requested_has_no_record_and_does_not_count(event):
    prize = await event.host.prize(event.room, quantity=5)
    first = await event.request((prize, 1))
    await event.jobs.run_due()
    waiting = await event.request((prize, 1))
    await event.act(commands.void, waiting, "not needed")
    with pytest.raises(NotFound):
        await record(event.services, event.room.id, waiting)
    await event.act(commands.run, first)
    await event.jobs.run_due()
    assert (await event.verified(first)).record.voided_draws == 0


async def test_records_outlive_the_deletion_of_their_room(event):
    prize = await event.host.prize(event.room, quantity=3)
    revealed = await event.draw((prize, 1))
    open_draw = await event.request((prize, 1))
    await event.jobs.run_due()
    before = await record(event.services, event.room.id, revealed.id)
    await event.host.change(event.room.id, status=RoomStatus.CANCELLED)
    await delete_room(event.services, event.room.id, event.host.organizer)
    assert await record(event.services, event.room.id, revealed.id) == before
    assert (await event.verified(revealed.id)).ok
    assert (await event.verified(open_draw)).verdict is fair.Verdict.VOIDED


async def test_a_record_is_read_as_it_was_stored_whatever_became_of_its_draw(event):
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1))
    before = await record(event.services, event.room.id, draw.id)
    async with event.services.database.write() as unit:
        await unit.session.execute(update(DrawRow).values(link="0" * 64, rule_digest="0" * 64))
    event.services.compute_pool.close()
    assert await record(event.services, event.room.id, draw.id) == before


async def test_the_bytes_are_canonical_and_in_parts(event, monkeypatch):
    monkeypatch.setattr(record_bytes, "PART_BYTES", 100)
    prize = await event.host.prize(event.room)
    draw = await event.draw((prize, 1))
    stored = await record(event.services, event.room.id, draw.id)
    document = json.loads(stored)
    assert stored == canonical_json(document)
    assert document["recordDigest"] == fair.record_digest(document)
    async with event.services.database.read() as session:
        rows = list(await session.scalars(select(DrawRecordPartRow)))
    assert len(rows) == -(-len(stored) // 100)
    found = await find_record(event.services, event.room.id, draw.id)
    assert (found.digest, found.size) == (document["recordDigest"], len(stored))
    parts = [part async for part in read_parts(event.services, found)]
    assert {len(part) for part in parts[:-1]} == {100}
    with pytest.raises(NotFound):
        await find_record(event.services, "room_of_elsewhere", draw.id)


async def test_only_entries_are_named_as_excluded(event):
    """A winner who left is no entry any more; naming them would only change the digest."""
    prize = await event.host.prize(event.room, quantity=2)
    await event.draw((prize, 1))
    [win] = await event.wins()
    await remove(event.services, event.room.id, event.host.organizer, win.participant_id)
    draw = await event.draw((prize, 1))
    assert draw.status is DrawStatus.REVEALED
    assert (await event.verified(draw.id)).record.rule.exclude == ()
    [second] = [each for each in await event.wins() if each.draw_id == draw.id]
    await event.do(winners.revoke, second.id, reason="not here")
    again = await event.draw(replaces=second.id)
    assert (await event.verified(again.id)).record.rule.exclude == (second.participant_id,)
