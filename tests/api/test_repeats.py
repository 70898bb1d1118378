"""Idempotency keys, ETags and limits."""

import asyncio

import pytest

from tests.support.api_host import ApiHost, make_api_host

pytestmark = pytest.mark.both_engines

KEY = {"Idempotency-Key": "once-only"}


async def test_the_same_key_gives_the_same_answer_and_one_effect(host: ApiHost):
    body = {"name": "Once", "appId": "stall"}
    first = await host.organizer.post("/rooms", body, headers=KEY)
    again = await host.organizer.post("/rooms", body, headers=KEY)
    assert (first.status, first.raw) == (again.status, again.raw)
    assert first.headers["ETag"] == again.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await host.organizer.get("/rooms")).body["meta"]["total"] == 1


async def test_the_same_key_with_another_body_is_refused(host: ApiHost):
    await host.organizer.post("/rooms", {"name": "One", "appId": "stall"}, headers=KEY)
    other = await host.organizer.post("/rooms", {"name": "Two", "appId": "stall"}, headers=KEY)
    assert (other.status, other.code) == (409, "IDEMPOTENCY_MISMATCH")


async def test_strangers_who_choose_the_same_key_do_not_meet(host: ApiHost):
    room = await host.start()
    bodies = [{"code": room["code"], "name": f"Guest {number}"} for number in range(3)]
    heard = [await host.nobody.post("/auth/guest", body, headers=KEY) for body in bodies]
    assert [each.status for each in heard] == [201] * 3
    again = await host.nobody.post("/auth/guest", bodies[0], headers=KEY)
    assert (again.status, again.code) == (409, "ALREADY_DONE")


async def test_an_error_of_the_callers_is_kept_as_well(host: ApiHost):
    room = await host.room()
    path = f"/rooms/{room['id']}/actions/do"
    first = await host.organizer.post(path, {}, headers=KEY)
    assert first.status == 409  # the room is not active
    await host.organizer.patch(f"/rooms/{room['id']}", {"status": "ACTIVE"})
    again = await host.organizer.post(path, {}, headers=KEY)
    assert (again.status, again.raw) == (first.status, first.raw)


async def test_keys_belong_to_their_caller(host: ApiHost):
    other = await host.person("other@example.com")
    body = {"name": "Once", "appId": "stall"}
    mine = await host.organizer.post("/rooms", body, headers=KEY)
    theirs = await other.post("/rooms", body, headers=KEY)
    assert mine.data["id"] != theirs.data["id"]


async def test_ten_at_once_have_one_effect(host: ApiHost):
    room = await host.start()
    path = f"/rooms/{room['id']}/prizes"
    heard = await asyncio.gather(
        *(host.organizer.post(path, {"name": "Car"}, headers=KEY) for _ in range(10))
    )
    assert {each.status for each in heard} <= {201, 409}
    assert (await host.organizer.get(path)).body["meta"]["total"] == 1


async def test_an_answer_with_a_token_is_never_kept(host: ApiHost):
    room = await host.start()
    body = {"code": room["code"], "name": "Ada"}
    first = await host.nobody.post("/auth/guest", body, headers=KEY)
    again = await host.nobody.post("/auth/guest", body, headers=KEY)
    assert first.status == 201
    assert (again.status, again.code) == (409, "ALREADY_DONE")
    shown = (await host.organizer.get(f"/rooms/{room['id']}")).data
    assert shown["participantCount"] == 1


@pytest.mark.parametrize("key", ["", "a b", "x" * 129, "ключ"])
async def test_a_bad_key_is_refused(host: ApiHost, key: str):
    heard = await host.organizer.post(
        "/rooms", {"name": "R", "appId": "stall"}, headers={"Idempotency-Key": key}
    )
    assert (heard.status, heard.code) == (400, "BAD_IDEMPOTENCY_KEY")


async def test_a_change_of_what_somebody_else_changed_is_412(host: ApiHost):
    room = await host.room()
    path = f"/rooms/{room['id']}"
    seen = (await host.organizer.get(path)).headers["ETag"]
    fine = await host.organizer.patch(path, {"name": "A"}, headers={"If-Match": seen})
    assert fine.status == 200
    late = await host.organizer.patch(path, {"name": "B"}, headers={"If-Match": seen})
    assert (late.status, late.code) == (412, "ROOM_CHANGED")
    fresh = fine.headers["ETag"]
    settings = {"appSettings": {"live": 2}}
    assert (await host.organizer.patch(path, settings, headers={"If-Match": fresh})).status == 200


async def test_one_person_too_often_is_429(database_url, clock, tmp_path):
    limits = {"rate_limits_enabled": True, "per_user_per_minute": 5}
    async with make_api_host(database_url, clock, tmp_path, **limits) as host:
        heard = [await host.organizer.get("/auth/me") for _ in range(6)]
    assert [each.status for each in heard] == [200] * 5 + [429]
    assert heard[0].headers["X-RateLimit-Remaining"] == "4"
    for name in ("Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"):
        assert heard[-1].headers[name].isdigit()


async def test_wrong_codes_are_slowed_down_and_right_ones_pass(database_url, clock, tmp_path):
    limits = {"rate_limits_enabled": True, "failures_per_address_per_minute": 3}
    async with make_api_host(database_url, clock, tmp_path, **limits) as host:
        room = await host.start()
        wrong = {"code": "WRONGWRONG", "name": "Eve"}
        statuses = [(await host.nobody.post("/auth/guest", wrong)).status for _ in range(5)]
        assert statuses == [404, 404, 404, 429, 429]
        for number in range(10):
            await host.guest(room, f"Guest {number}")
