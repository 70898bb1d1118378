# ruff: noqa: RUF001  characters that look alike are what is tested
"""Texts are folded by the language that the room had when the window opened."""

import pytest
from sqlalchemy import update

from mymozhem.rooms.lifecycle.update import RoomChanges, change_room
from mymozhem.rooms.tables.windows import WindowRow
from tests.support.apps.window_app import do, opening, send, submissions_of, window_of

pytestmark = pytest.mark.both_engines

ACCEPTS = {"type": "object", "properties": {"text": {"type": "string"}}}


def asked(*right, **more):
    rules = {"properties": {"text": {"enum": list(right)}}}
    return opening(accepts=ACCEPTS, rules=rules, fold=["/text"], judge="rules", **more)


async def verdicts(host, room, jobs):
    await jobs.run_due()
    return [row.verdict for row in await submissions_of(host, await window_of(host, room))]


async def speak(window_room, locale):
    changes = RoomChanges(fields={"locale": locale})
    await change_room(
        window_room.host.services, window_room.room.id, window_room.host.organizer, changes
    )


async def test_what_phones_substitute_is_right_also_after_another_change_of_language(window_room):
    host, room, guests = window_room.host, window_room.room, window_room.guests
    await speak(window_room, "de")
    await do(host, room, asked("Rock 'n' Roll", "Müller", "Königin"))
    await speak(window_room, "en")
    for guest, text in zip(guests, ["Rock ’n’ Roll", "Mueller", "Konigin"], strict=True):
        await send(host, room, guest, {"text": text})
    assert await verdicts(host, room, window_room.jobs) == ["right", "right", "wrong"]
    await window_room.later(10_000)
    key = {"properties": {"text": {"const": "Koenigin"}}}
    await do(host, room, {"effect": "rejudge", "windowId": "w", "rules": key})
    assert await verdicts(host, room, window_room.jobs) == ["wrong", "wrong", "wrong"]


async def test_rules_that_an_earlier_version_stored_are_folded_anew(window_room):
    host, room, guests = window_room.host, window_room.room, window_room.guests
    await do(host, room, asked("Jean-Paul"))
    stored = {"properties": {"text": {"enum": ["jean‑paul"]}}}
    async with host.services.database.write() as unit:
        await unit.session.execute(update(WindowRow).values(rules=stored))
    await send(host, room, guests[0], {"text": "Jean-Paul"})
    assert await verdicts(host, room, window_room.jobs) == ["right"]
