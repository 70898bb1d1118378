"""What clients of the first platform rely on: its fields, its filters, its headers."""

import time

import pytest

from tests.support.api_host import ApiHost, make_api_host
from tests.support.remote_manifest import FIRST_PLATFORM


async def test_a_person_joins_as_a_viewer_and_says_something_about_themselves(host: ApiHost):
    room = await host.start(isPublic=True)
    path = f"/rooms/{room['id']}/participants"
    ada = await host.person("ada@example.com")
    heard = await ada.post(path, {"role": "VIEWER", "metadata": {"team": "red"}})
    assert heard.status == 201, heard.raw
    assert heard.body["meta"] == {}
    assert heard.data["role"] == "VIEWER"
    assert heard.data["metadata"] == {"team": "red"}
    assert heard.data["userId"] == ada.id
    assert heard.data["user"] == {"id": ada.id, "name": "ada", "avatar": None}
    assert (await host.organizer.get(f"/rooms/{room['id']}")).data["participantCount"] == 0
    bob = await host.person("bob@example.com")
    joined = await bob.post(path)  # the first platform's clients send no body
    assert (joined.status, joined.data["role"]) == (201, "PARTICIPANT")
    refused = await (await host.person("eve@example.com")).post(path, {"role": "ORGANIZER"})
    assert refused.status == 422
    long = {"metadata": {"text": "x" * 5_000}}
    assert (await (await host.person("cyd@example.com")).post(path, long)).status == 422


async def test_what_people_say_of_themselves_never_replaces_what_organizers_noted(host: ApiHost):
    room = await host.start(isPublic=True)
    path = f"/rooms/{room['id']}/participants"
    ada = await host.person("ada@example.com")
    pid = (await ada.post(path, {"metadata": {"tickets": 900, "team": "red"}})).data["id"]
    asked = {"effects": [{"effect": "reply", "data": {}}]}
    assert (await ada.post(f"/rooms/{room['id']}/actions/do", asked)).status == 200
    noted = await host.organizer.patch(f"{path}/{pid}", {"metadata": {"tickets": 1}})
    assert noted.data["metadata"] == {"tickets": 1}
    await ada.delete(f"{path}/me")
    back = await ada.post(path, {"metadata": {"tickets": 900, "team": "blue"}})
    assert back.data["metadata"] == {"tickets": 1, "team": "blue"}
    own = await ada.get("/users/me/export")
    assert own.data["rooms"][0]["metadata"] == {"tickets": 1, "team": "blue"}


async def test_who_returns_keeps_the_role_that_an_organizer_gave(host: ApiHost):
    room = await host.start(isPublic=True)
    path = f"/rooms/{room['id']}/participants"
    ada = await host.person("ada@example.com")
    pid = (await ada.post(path)).data["id"]
    assert (await host.organizer.patch(f"{path}/{pid}", {"role": "VIEWER"})).status == 200
    await ada.delete(f"{path}/me")
    assert (await ada.post(path, {"role": "PARTICIPANT"})).data["role"] == "VIEWER"


async def test_strangers_see_of_a_public_room_what_is_shown_there(host: ApiHost):
    room = await host.start(isPublic=True, description="With cake.")
    path = f"/rooms/{room['id']}"
    _, joined = await host.guest(room, "Ada")
    pid = joined["participant"]["id"]
    picture = {"name": "Bike", "imageUrl": "https://example.com/bike.png"}
    prize = (await host.organizer.post(f"{path}/prizes", picture)).data
    win = {"participantId": pid, "prizeId": prize["id"], "metadata": {"hint": "cousin"}}
    won = (await host.organizer.post(f"{path}/winners", win)).data
    seen = (await host.nobody.get(path)).data
    assert seen["description"] == "With cake."
    assert seen["organizer"]["name"] == "organizer"
    assert (seen["participantCount"], seen["prizeCount"]) == (1, 1)
    assert seen["_count"] == {"participants": 1, "prizes": 1}
    assert {"createdAt", "updatedAt", "createdBy", "isPublic"} <= set(seen)
    (listed,) = (await host.nobody.get("/rooms")).data
    assert listed == seen
    (prize_seen,) = (await host.nobody.get(f"{path}/prizes")).data
    assert (prize_seen["winnerCount"], prize_seen["imageUrl"]) == (1, picture["imageUrl"])
    people = (await host.nobody.get(f"{path}/participants?role=PARTICIPANT")).data
    assert [each["user"]["name"] for each in people] == ["Ada"]
    assert not {"metadata", "own", "points", "kind", "joinedAt"} & set(people[0])
    (winner,) = (await host.nobody.get(f"{path}/winners")).data
    assert winner["participant"]["user"]["name"] == winner["user"]["name"] == "Ada"
    assert winner["prize"]["imageUrl"] == picture["imageUrl"]
    assert not {"reason", "metadata"} & set(winner)
    for inside in ("state", "events", "draws", "windows", "standings", "lock"):
        assert (await host.nobody.get(f"{path}/{inside}")).status == 401, inside
    assert (await host.nobody.get(f"{path}/participants/{pid}")).status == 200
    assert (await host.nobody.get(f"{path}/winners/{won['id']}")).status == 200


async def test_strangers_learn_nothing_of_a_private_room(host: ApiHost):
    room = await host.start()
    for part in ("", "/participants", "/prizes", "/winners"):
        assert (await host.nobody.get(f"/rooms/{room['id']}{part}")).status == 404


async def test_a_name_that_staff_changed_is_changed_on_every_screen(host: ApiHost):
    room = await host.start(isPublic=True)
    path = f"/rooms/{room['id']}"
    rude = await host.person("rude@example.com")
    pid = (await rude.post(f"{path}/participants")).data["id"]
    prize = (await host.organizer.post(f"{path}/prizes", {"name": "Bike"})).data
    win = {"participantId": pid, "prizeId": prize["id"]}
    await host.organizer.post(f"{path}/winners", win)
    assert (await host.organizer.patch(f"{path}/participants/{pid}", {"name": "Ada"})).status == 200
    for caller in (host.nobody, host.organizer):
        for part in ("participants?role=PARTICIPANT", "winners"):
            heard = await caller.get(f"{path}/{part}")
            assert heard.data[0]["user"]["name"] == "Ada"
            assert b"rude" not in heard.raw


async def test_rooms_and_prizes_are_filtered_as_before(host: ApiHost):
    public, private = await host.start(isPublic=True), await host.start()
    for given, wanted in (("true", public), ("false", private)):
        heard = await host.organizer.get(f"/rooms?isPublic={given}")
        assert [each["id"] for each in heard.data] == [wanted["id"]]
    assert (await host.nobody.get("/rooms?isPublic=false")).data == []
    path = f"/rooms/{public['id']}"
    _, joined = await host.guest(public, "Ada")
    gone = (await host.organizer.post(f"{path}/prizes", {"name": "Bike"})).data
    left = (await host.organizer.post(f"{path}/prizes", {"name": "Hat"})).data
    win = {"participantId": joined["participant"]["id"], "prizeId": gone["id"]}
    await host.organizer.post(f"{path}/winners", win)
    whole = await host.nobody.get(f"{path}/prizes?includeExhausted=true")
    assert [each["id"] for each in whole.data] == [gone["id"], left["id"]]
    some = await host.nobody.get(f"{path}/prizes?includeExhausted=false")
    assert ([each["id"] for each in some.data], some.body["meta"]["total"]) == ([left["id"]], 1)


async def test_apps_are_described_with_address_and_capabilities(host: ApiHost):
    made = await host.remote_app("raffle", capabilities=["winnerSelection"])
    guest, _ = await host.guest(await host.start())
    for path in ("/apps/raffle", "/apps"):
        found = (await host.organizer.get(path)).data
        card = found if isinstance(found, dict) else found[0]
        assert card["baseUrl"] == made.manifest.base_url
        assert card["capabilities"] == ["winnerSelection"]
        assert {"createdAt", "updatedAt"} <= set(card)
        hidden = (await guest.get(path)).data
        assert "baseUrl" not in (hidden if isinstance(hidden, dict) else hidden[0])
    assert (await host.organizer.get("/apps/stall")).data["baseUrl"] is None


async def test_every_response_names_the_version_of_the_api(host: ApiHost):
    for path in ("/rooms", "/nowhere"):
        headers = (await host.nobody.get(path)).headers
        assert headers["X-API-Version"] == "v1"
        assert headers["X-API-Latest-Version"] == "v1"
        assert headers["X-API-Deprecated"] == "false"
    assert "X-API-Version" not in (await host.nobody.get("//health/live")).headers


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_the_quota_ends_at_a_unix_time(database_url, clock, tmp_path):
    limits = {"rate_limits_enabled": True, "per_user_per_minute": 1}
    async with make_api_host(database_url, clock, tmp_path, **limits) as host:
        before = time.time()
        first, second = [await host.organizer.get("/auth/me") for _ in range(2)]
        after = time.time()
    for heard in (first, second):
        assert before <= int(heard.headers["X-RateLimit-Reset"]) <= after + 61
    assert int(second.headers["Retry-After"]) <= 60


async def test_another_setting_is_published_as_a_minor_version(host: ApiHost):
    admin = await host.person("admin@example.com", is_admin=True)
    registered = {"appId": "app_raffle_v1", "manifest": FIRST_PLATFORM}
    assert (await admin.post("/apps", registered)).status == 201
    settings = FIRST_PLATFORM["settings"]
    multiple = {"allowMultipleWins": {"type": "boolean", "default": False}}
    document = {
        **FIRST_PLATFORM,
        "meta": {**FIRST_PLATFORM["meta"], "version": "1.1.0"},
        "settings": {**settings, "properties": {**settings["properties"], **multiple}},
    }
    heard = await admin.patch("/apps/app_raffle_v1", {"manifest": document})
    assert (heard.status, heard.data["version"]) == (200, "1.1.0"), heard.raw
