"""Return codes: they move a guest to one other phone, and guessers get nothing."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from mymozhem.audit.tables import AuditRow
from mymozhem.rooms.core.join_code import ALPHABET
from mymozhem.rooms.tables.participants import ParticipantRow
from tests.support.api_host import ApiHost, Caller, Heard, make_api_host

VENUE = "198.51.100.7"


@pytest.fixture
async def host(database_url, clock, tmp_path):
    async with make_api_host(database_url, clock, tmp_path) as host:
        yield host


@pytest.fixture
async def guarded(database_url, clock, tmp_path):
    settings = {"rate_limits_enabled": True, "failures_per_address_per_minute": 3}
    async with make_api_host(database_url, clock, tmp_path, **settings) as host:
        yield host


async def come_back(host: ApiHost, room: object, code: str) -> Heard:
    return await host.nobody.post("/auth/return", {"code": room["code"], "returnCode": code})


def phone(host: ApiHost, heard: Heard) -> Caller:
    assert heard.status == 200, heard.raw
    return Caller(host.app.test_client(), heard.data["accessToken"], heard.data["user"]["id"])


# ------------------------------------------------------------------------------- return codes


@pytest.mark.both_engines
async def test_a_return_code_moves_a_guest_and_signs_the_old_phone_out(host: ApiHost):
    room = await host.start()
    old, joined = await host.guest(room)
    assert len(joined["returnCode"]) == 10
    assert set(joined["returnCode"]) <= set(ALPHABET)
    heard = await come_back(host, room, joined["returnCode"])
    new = phone(host, heard)
    assert new.id == old.id
    assert heard.data["participant"]["id"] == joined["participant"]["id"]
    assert heard.data["room"]["id"] == room["id"]
    assert (await old.get("/auth/me")).code == "TOKEN_REVOKED"
    assert (await new.get(f"/rooms/{room['id']}/state")).status == 200


@pytest.mark.both_engines
async def test_a_return_code_works_once_and_its_successor_after_it(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    first = await come_back(host, room, joined["returnCode"])
    again = await come_back(host, room, joined["returnCode"])
    assert (again.status, again.code) == (404, "RETURN_CODE_UNKNOWN")
    assert (await phone(host, first).get("/auth/me")).status == 200
    second = await come_back(host, room, first.data["returnCode"])
    assert (await phone(host, first).get("/auth/me")).code == "TOKEN_REVOKED"
    assert (await phone(host, second).get("/auth/me")).status == 200


@pytest.mark.both_engines
async def test_of_two_phones_with_the_same_code_one_gets_in(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    code = joined["returnCode"]
    heard = await asyncio.gather(*(come_back(host, room, code) for _ in range(8)))
    assert sorted(each.status for each in heard) == [200, *[404] * 7]


async def test_codes_may_be_typed_with_spaces_dashes_and_small_letters(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    code = joined["returnCode"].lower()
    assert (await come_back(host, room, f" {code[:5]} - {code[5:]} ")).status == 200


async def test_wrong_codes_reveal_neither_rooms_nor_guests(host: ApiHost):
    room, other = await host.start(), await host.start(name="Other")
    _, joined = await host.guest(room)
    code = joined["returnCode"]
    tries = [
        {"code": room["code"], "returnCode": "3333333333"},
        {"code": "33333333", "returnCode": code},
        {"code": other["code"], "returnCode": code},
        {"code": "33333333", "returnCode": "3333333333"},
        {"code": room["code"], "returnCode": "\ud800\x00"},
        {"code": room["code"], "returnCode": "-"},
    ]
    heard = [await host.nobody.post("/auth/return", each) for each in tries[:4]]
    assert {each.status for each in heard} == {404}
    assert len({each.body["error"]["message"] for each in heard}) == 1
    for each in tries[4:]:
        raw = repr(each).replace("'", '"').replace("\\x00", "\\u0000").encode()
        assert (await host.nobody.ask("POST", "/auth/return", raw=raw)).status in (400, 404, 422)


async def test_guesses_are_slowed_down_and_right_codes_pass(guarded: ApiHost):
    room = await guarded.start()
    _, joined = await guarded.guest(room)
    guesses = [await come_back(guarded, room, "3333333333") for _ in range(5)]
    assert [each.status for each in guesses] == [404] * 3 + [429] * 2
    assert "Retry-After" in guesses[-1].headers
    assert (await come_back(guarded, room, joined["returnCode"])).status == 200


async def test_guesses_of_return_codes_count_with_those_of_room_codes(guarded: ApiHost):
    room = await guarded.start()
    for _ in range(3):
        await guarded.nobody.post("/auth/guest", {"code": "33333333", "name": "Eve"})
    assert (await come_back(guarded, room, "3333333333")).status == 429


async def test_five_hundred_people_join_from_one_address_at_once(guarded: ApiHost):
    room = await guarded.start()

    async def join(number: int) -> Heard:
        body = {"code": room["code"], "name": f"Person {number}"}
        return await guarded.nobody.post("/auth/guest", body)

    heard = await asyncio.gather(*map(join, range(500)))
    assert {each.status for each in heard} == {201}
    assert len({each.data["returnCode"] for each in heard}) == 500


async def test_a_guest_moves_while_the_doors_are_locked_and_not_after_the_end(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    await host.organizer.patch(f"/rooms/{room['id']}", {"doorsLocked": True})
    heard = await come_back(host, room, joined["returnCode"])
    assert heard.status == 200
    await host.organizer.patch(f"/rooms/{room['id']}", {"status": "COMPLETED"})
    over = await come_back(host, room, heard.data["returnCode"])
    assert (over.status, over.code) == (410, "ROOM_OVER")


async def test_who_was_removed_does_not_return_with_a_code(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    await host.organizer.delete(f"/rooms/{room['id']}/participants/{joined['participant']['id']}")
    heard = await come_back(host, room, joined["returnCode"])
    assert (heard.status, heard.code) == (403, "REMOVED")


async def test_an_erased_person_and_a_deleted_room_have_no_return_code(host: ApiHost):
    room = await host.start()
    admin = await host.person("admin@example.com", is_admin=True)
    ada, joined = await host.guest(room, "Ada")
    assert (await admin.delete(f"/users/{ada.id}")).status == 200
    assert (await come_back(host, room, joined["returnCode"])).code == "RETURN_CODE_UNKNOWN"
    _, bob = await host.guest(room, "Bob")
    for change in ({"status": "COMPLETED"}, None):
        path = f"/rooms/{room['id']}"
        done = (await host.organizer.patch(path, change)) if change else None
        assert (done or await host.organizer.delete(path)).status == 200
    assert (await come_back(host, room, bob["returnCode"])).code == "RETURN_CODE_UNKNOWN"


@pytest.mark.both_engines
async def test_only_a_digest_is_stored(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    async with host.database.read() as session:
        row = await session.get_one(ParticipantRow, joined["participant"]["id"])
        stored = (await session.execute(text("SELECT * FROM participants"))).all()
    assert len(row.return_code_hash) == 64
    assert joined["returnCode"] not in repr(stored)


async def test_people_with_an_account_and_guests_who_are_inside_get_no_code(host: ApiHost):
    room = await host.start()
    guest, joined = await host.guest(room)
    person = await host.person("person@example.com")
    body = {"code": room["code"], "name": "Pia"}
    assert (await person.post("/auth/guest", body)).data["returnCode"] is None
    assert (await guest.post("/auth/guest", body)).data["returnCode"] is None
    assert (await come_back(host, room, joined["returnCode"])).status == 200


async def test_a_return_is_not_repeated_by_its_idempotency_key(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    body = {"code": room["code"], "returnCode": joined["returnCode"]}
    key = {"Idempotency-Key": "once"}
    first = await host.nobody.post("/auth/return", body, headers=key)
    again = await host.nobody.post("/auth/return", body, headers=key)
    assert (first.status, again.status) == (200, 409)
    assert (await phone(host, first).get("/auth/me")).status == 200


async def actions_of(host: ApiHost, participant_id: str) -> list[str]:
    async with host.database.read() as session:
        found = await session.scalars(
            select(AuditRow.action).where(AuditRow.subject == participant_id)
        )
        return list(found)


async def test_a_return_is_audited(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    await come_back(host, room, joined["returnCode"])
    assert await actions_of(host, joined["participant"]["id"]) == ["participant.return"]


# ---------------------------------------------------------------------------- moved by staff


def move_of(room: object, joined: object) -> str:
    return f"/rooms/{room['id']}/participants/{joined['participant']['id']}/seat"


async def member(host: ApiHost, room: object, name: str, role: str) -> Caller:
    """Let a guest in, and give them a role."""
    caller, joined = await host.guest(room, name)
    path = f"/rooms/{room['id']}/participants/{joined['participant']['id']}"
    assert (await host.organizer.patch(path, {"role": role})).status == 200
    return caller


@pytest.mark.both_engines
async def test_staff_move_a_guest_whose_code_was_lost(host: ApiHost):
    room = await host.start()
    helper = await member(host, room, "Mo", "MODERATOR")
    for staff in (host.organizer, helper):
        old, joined = await host.guest(room)
        moved = await staff.post(move_of(room, joined))
        assert moved.status == 200, moved.raw
        assert (await old.get("/auth/me")).code == "TOKEN_REVOKED"
        assert (await come_back(host, room, joined["returnCode"])).status == 404
        heard = await come_back(host, room, moved.data["returnCode"])
        assert phone(host, heard).id == old.id
        assert await actions_of(host, joined["participant"]["id"]) == [
            "participant.move",
            "participant.return",
        ]


@pytest.mark.both_engines
async def test_people_without_a_phone_get_one(host: ApiHost):
    room = await host.start()
    path = f"/rooms/{room['id']}/participants"
    added = await host.organizer.post(f"{path}/import", {"people": [{"name": "Zoe"}]})
    (participant_id,) = added.data["participantIds"]
    moved = await host.organizer.post(f"{path}/{participant_id}/seat")
    heard = await come_back(host, room, moved.data["returnCode"])
    assert heard.data["participant"]["displayName"] == "Zoe"
    assert (await phone(host, heard).get(f"/rooms/{room['id']}/state")).status == 200


async def test_nobody_moves_a_role_above_their_own(host: ApiHost):
    room = await host.start()
    helper = await member(host, room, "Mo", "MODERATOR")
    chief, joined = await host.guest(room, "Chief")
    path = f"/rooms/{room['id']}/participants/{joined['participant']['id']}"
    assert (await host.organizer.patch(path, {"role": "ORGANIZER"})).status == 200
    assert (await helper.post(f"{path}/seat")).status == 403
    assert (await chief.get("/auth/me")).status == 200
    assert (await host.organizer.post(f"{path}/seat")).status == 200


@pytest.mark.parametrize("role", ["PARTICIPANT", "VIEWER"])
async def test_participants_and_viewers_move_nobody_and_not_even_their_own(host: ApiHost, role):
    room = await host.start()
    caller = await member(host, room, "Eve", role)
    victim, joined = await host.guest(room, "Ada")
    assert (await caller.post(move_of(room, joined))).status == 403
    assert (await victim.post(move_of(room, joined))).status == 403
    assert (await victim.get("/auth/me")).status == 200


async def test_staff_of_another_room_move_nobody(host: ApiHost):
    room, other = await host.start(), await host.start(by=await host.person("o@example.com"))
    victim, joined = await host.guest(other)
    elsewhere = move_of(room, joined)
    assert (await host.organizer.post(elsewhere)).status == 404
    assert (await host.organizer.post(move_of(other, joined))).status == 404
    assert (await victim.get("/auth/me")).status == 200


async def test_a_person_with_an_account_is_not_moved(host: ApiHost):
    room = await host.start()
    person = await host.person("person@example.com")
    body = {"code": room["code"], "name": "Pia"}
    joined = (await person.post("/auth/guest", body)).data
    heard = await host.organizer.post(move_of(room, joined))
    assert (heard.status, heard.code) == (409, "NOT_A_GUEST")
    assert (await person.get("/auth/me")).status == 200


async def test_removed_people_and_ended_rooms_are_not_moved(host: ApiHost):
    room = await host.start()
    _, joined = await host.guest(room)
    _, other = await host.guest(room, "Bob")
    path = f"/rooms/{room['id']}/participants/{joined['participant']['id']}"
    await host.organizer.delete(path)
    assert (await host.organizer.post(f"{path}/seat")).code == "NOT_PRESENT"
    await host.organizer.patch(f"/rooms/{room['id']}", {"status": "COMPLETED"})
    assert (await host.organizer.post(move_of(room, other))).code == "ROOM_ENDED"


async def test_a_guest_of_an_earlier_release_is_signed_out_as_well(host: ApiHost, clock):
    room = await host.start()
    old, joined = await host.guest(room)
    async with host.database.write() as unit:
        row = await unit.session.get_one(ParticipantRow, joined["participant"]["id"])
        row.guest_session_id = row.return_code_hash = None
    clock.advance(timedelta(seconds=2))
    moved = await host.organizer.post(move_of(room, joined))
    assert (await old.get("/auth/me")).code == "TOKEN_REVOKED"
    heard = await come_back(host, room, moved.data["returnCode"])
    assert (await phone(host, heard).get("/auth/me")).status == 200
