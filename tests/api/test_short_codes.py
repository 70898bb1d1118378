"""Codes of six digits: for open rooms only, apart from the codes of eight characters, and slow."""

import asyncio
import re

import pytest

from mymozhem.api.guess_pace import GuessPace
from mymozhem.rooms.lifecycle import short_code
from mymozhem.rooms.participants.lookup import find_room_by_code
from tests.support.api_host import ApiHost, Heard, make_api_host


@pytest.fixture
async def host(database_url, clock, tmp_path):
    async with make_api_host(database_url, clock, tmp_path) as host:
        yield host


async def enter(host: ApiHost, code: str, name: str = "Ada") -> Heard:
    return await host.nobody.post("/auth/guest", {"code": code, "name": name})


async def seen(host: ApiHost, room: object) -> str | None:
    return (await host.organizer.get(f"/rooms/{room['id']}")).data["shortCode"]


async def change(host: ApiHost, room: object, **fields: object) -> Heard:
    return await host.organizer.patch(f"/rooms/{room['id']}", fields)


@pytest.mark.both_engines
async def test_an_open_room_is_entered_by_six_digits(host: ApiHost):
    room = await host.start()
    code = room["shortCode"]
    assert re.fullmatch("[0-9]{6}", code)
    for typed in (code, f" {code[:3]} {code[3:]} ", f"{code[:3]}-{code[3:]}"):
        heard = await enter(host, typed)
        assert heard.data["room"]["id"] == room["id"]
    assert (await enter(host, room["code"])).status == 201


@pytest.mark.both_engines
async def test_a_code_exists_only_while_the_doors_are_open(host: ApiHost):
    room = await host.room()
    assert room["shortCode"] is None
    code = (await change(host, room, status="ACTIVE")).data["shortCode"]
    assert (await change(host, room, name="Renamed")).data["shortCode"] == code
    assert (await change(host, room, doorsLocked=True)).data["shortCode"] is None
    assert (await enter(host, code)).code == "CODE_UNKNOWN"
    assert (await enter(host, room["code"])).code == "ROOM_LOCKED"
    again = (await change(host, room, doorsLocked=False)).data["shortCode"]
    assert (await enter(host, again)).status == 201
    assert (await change(host, room, status="COMPLETED")).data["shortCode"] is None
    assert (await enter(host, again)).code == "CODE_UNKNOWN"


async def test_a_room_that_starts_with_locked_doors_has_none(host: ApiHost):
    room = await host.room()
    await change(host, room, doorsLocked=True)
    assert (await change(host, room, status="ACTIVE")).data["shortCode"] is None


async def test_participants_and_strangers_do_not_see_it(host: ApiHost):
    room = await host.start(isPublic=True)
    guest, _ = await host.guest(room)
    for caller in (guest, host.nobody):
        heard = await caller.get(f"/rooms/{room['id']}")
        assert room["shortCode"].encode() not in heard.raw
        assert "shortCode" not in heard.data


@pytest.mark.both_engines
async def test_two_open_rooms_never_have_the_same_code(host: ApiHost, monkeypatch):
    given = iter(["111111", "111111", "222222", "111111"])
    monkeypatch.setattr(short_code, "new_short_code", lambda: next(given))
    first, second = await host.start(), await host.start(name="Second")
    assert (first["shortCode"], second["shortCode"]) == ("111111", "222222")
    await change(host, first, status="COMPLETED")
    third = await host.start(name="Third")
    assert third["shortCode"] == "111111"  # it was released
    assert (await enter(host, "111111")).data["room"]["id"] == third["id"]


@pytest.mark.both_engines
async def test_rooms_that_start_together_get_different_codes(host: ApiHost, monkeypatch):
    numbers = [f"{number // 4:06}" for number in range(100)]
    given = iter(numbers)
    monkeypatch.setattr(short_code, "new_short_code", lambda: next(given))
    rooms = [await host.room(name=f"Room {number}") for number in range(4)]
    await asyncio.gather(*(change(host, room, status="ACTIVE") for room in rooms))
    assert len({await seen(host, room) for room in rooms}) == 4


@pytest.mark.both_engines
async def test_without_a_free_code_the_room_does_not_start(host: ApiHost, monkeypatch):
    monkeypatch.setattr(short_code, "new_short_code", lambda: "111111")
    await host.start()
    room = await host.room(name="Second")
    heard = await change(host, room, status="ACTIVE")
    assert (heard.status, heard.code) == (503, "NO_SHORT_CODE")
    assert (await host.organizer.get(f"/rooms/{room['id']}")).data["status"] == "DRAFT"


@pytest.mark.parametrize("code", ["\u0661\u0662\u0663\u0664\u0665\u0666", "%25%25%25", "00000"])
async def test_other_digits_and_lengths_are_unknown_codes(host: ApiHost, code):
    await host.start()
    assert (await enter(host, code)).code == "CODE_UNKNOWN"


async def test_guesses_are_slowed_down_and_the_right_code_passes(database_url, clock, tmp_path):
    settings = {"rate_limits_enabled": True, "failures_per_address_per_minute": 3}
    async with make_api_host(database_url, clock, tmp_path, **settings) as host:
        room = await host.start()
        wrong = "000000" if room["shortCode"] != "000000" else "111111"
        heard = [await enter(host, wrong) for _ in range(5)]
        assert [each.status for each in heard] == [404] * 3 + [429] * 2
        assert (await enter(host, room["shortCode"])).status == 201
        assert (await enter(host, room["code"])).status == 201


async def test_a_flood_of_guesses_is_refused_before_it_is_compared(
    database_url, clock, tmp_path, monkeypatch
):
    compared = []

    async def noted(services, code, caller):
        compared.append(code)
        return await find_room_by_code(services, code, caller)

    monkeypatch.setattr("mymozhem.rooms.participants.join.find_room_by_code", noted)
    monkeypatch.setattr("mymozhem.api.rate_limits.GuessPace", lambda: GuessPace(every=60))
    settings = {"rate_limits_enabled": True, "failures_per_address_per_minute": 3}
    async with make_api_host(database_url, clock, tmp_path, **settings) as host:
        room = await host.start()
        wrong = "000000" if room["shortCode"] != "000000" else "111111"
        for _ in range(3):
            await enter(host, wrong)
        del compared[:]
        heard = await asyncio.gather(*(enter(host, wrong) for _ in range(60)))
        assert {each.status for each in heard} == {429}
        assert len(compared) == 1
        assert (await enter(host, room["code"])).status == 201
