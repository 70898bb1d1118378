"""Moving rooms to another version, over HTTP."""

import pytest

from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from tests.support.api_host import ApiHost, echo_code, stocked
from tests.support.apps.versioned_app import FIRST, VersionedApp, settings_schema
from tests.support.host import loaded

NEXT = settings_schema(
    ("venue",),
    **FIRST["properties"],
    secret={"type": "string", "default": "key", "x-visibility": "private"},
    venue={"type": "string", "title": "Venue", "minLength": 2},
)
KEY = {"Idempotency-Key": "once-only"}


async def install(host: ApiHost, app: VersionedApp) -> None:
    """Have the host know another version of the app, and its code."""
    await stocked(host.database, {"shop": app})
    async with host.database.read() as session:
        published = await manifest_history.versions(session)
    fresh = Catalog([echo_code(), loaded(app, "shop")], published)
    host.host.services.catalog.__dict__.update(fresh.__dict__)


@pytest.fixture
async def room(host: ApiHost):
    await install(host, VersionedApp())
    made = await host.room(appId="shop")
    await install(host, VersionedApp("2.0.0", NEXT))
    return made


def path(room, act="upgrade"):
    return f"/rooms/{room['id']}/{act}-manifest"


async def test_a_plan_says_what_it_would_mean_and_writes_nothing(host: ApiHost, room):
    before = (await host.organizer.get(f"/rooms/{room['id']}")).raw
    heard = await host.organizer.post(path(room), {"targetVersion": "2.0.0", "dryRun": True})
    assert heard.status == 200, heard.raw
    plan = heard.data["plan"]
    assert heard.data["moved"] is False
    assert (plan["from"], plan["to"], plan["strategy"]) == ("1.0.0", "2.0.0", "manual")
    assert plan["allowed"] is False
    assert [each["code"] for each in plan["refusals"]] == ["MIGRATION_REQUIRED"]
    [field] = plan["fields"]
    assert field == {
        "pointer": "/venue", "type": "string", "title": "Venue", "description": None,
        "code": "REQUIRED", "problem": "this field is required",
        "schema": {"type": "string", "title": "Venue", "minLength": 2},
    }  # fmt: skip
    assert plan["settingsBefore"] == {"title": "Evening", "limit": 3}
    assert plan["settingsAfter"] == {"title": "Evening", "limit": 3}  # what is private is not shown
    assert plan["changes"]["required"] == "major"
    assert plan["stateChanges"] == []
    assert (await host.organizer.get(f"/rooms/{room['id']}")).raw == before


async def test_what_is_missing_is_refused_with_a_form_then_given(host: ApiHost, room):
    heard = await host.organizer.post(path(room), {"targetVersion": "2.0.0"})
    assert (heard.status, heard.code) == (422, "MIGRATION_REQUIRED")
    details = heard.body["error"]["details"]
    assert details["fields"] == {"/venue": ["this field is required"]}
    assert [each["title"] for each in details["form"]] == ["Venue"]

    body = {"targetVersion": "2.0.0", "migrationData": {"venue": "Hall"}}
    heard = await host.organizer.post(path(room), body, headers=KEY)
    assert heard.status == 200, heard.raw
    assert (heard.data["moved"], heard.data["plan"]["strategy"]) == (True, "assisted")
    lock = (await host.organizer.get(f"/rooms/{room['id']}/lock")).data
    assert (lock["digest"], lock["lock"]["manifestVersion"]) == (heard.data["lock"], "2.0.0")
    shown = (await host.organizer.get(f"/rooms/{room['id']}")).data
    assert shown["appManifestVersion"] == "2.0.0"
    assert shown["appSettings"] == {"title": "Evening", "limit": 3, "venue": "Hall"}
    again = await host.organizer.post(path(room), body, headers=KEY)
    assert (again.raw, again.headers["Idempotency-Replayed"]) == (heard.raw, "true")

    heard = await host.organizer.post(path(room, "rollback"))
    assert (heard.status, heard.data["plan"]["to"]) == (200, "1.0.0")
    types = [each["type"] for each in (await host.organizer.get(
        f"/rooms/{room['id']}/events"
    )).data]  # fmt: skip
    assert types.count("room:version_changed") == 2


async def test_if_match_holds_for_moves(host: ApiHost, room):
    seen = (await host.organizer.get(f"/rooms/{room['id']}")).headers["ETag"]
    await host.organizer.patch(f"/rooms/{room['id']}", {"name": "Gala"})
    body = {"targetVersion": "2.0.0", "migrationData": {"venue": "Hall"}}
    heard = await host.organizer.post(path(room), body, headers={"If-Match": seen})
    assert (heard.status, heard.code) == (412, "ROOM_CHANGED")


async def test_what_cannot_be_is_told_with_its_code(host: ApiHost, room):
    heard = await host.organizer.post(path(room, "rollback"), {})
    assert (heard.status, heard.code) == (409, "NOTHING_TO_ROLL_BACK")
    heard = await host.organizer.post(path(room), {"targetVersion": "9.0.0"})
    assert (heard.status, heard.code) == (404, "VERSION_NOT_FOUND")
    heard = await host.organizer.post(path(room), {})
    assert heard.status == 422
    heard = await host.organizer.post(path(room), {"targetVersion": "1.0.0"})
    assert (heard.status, heard.data["moved"]) == (200, False)


async def test_many_rooms_are_moved_by_admins(host: ApiHost, room):
    admin = await host.person("admin@example.com", is_admin=True)
    await install(host, VersionedApp("2.1.0", settings_schema(**NEXT["properties"])))
    body = {"from": "1.0.0", "to": "2.1.0", "dryRun": True}
    assert (await host.organizer.post("/apps/shop/upgrade-rooms", body)).status == 403
    heard = await admin.post("/apps/shop/upgrade-rooms", body)
    assert heard.data == {
        "summary": "1 room: 1 clean, 0 need an answer", "rooms": 1, "clean": 1, "upgraded": 0,
        "needAnswer": 0, "active": 0, "listed": [], "left": 0, "next": None,
    }  # fmt: skip
    heard = await admin.post("/apps/shop/upgrade-rooms", body | {"to": "2.0.0"})
    [listed] = heard.data["listed"]
    assert listed["roomId"] == room["id"]
    assert (listed["code"], listed["strategy"]) == ("MIGRATION_REQUIRED", "manual")
    assert [each["pointer"] for each in listed["fields"]] == ["/venue"]
    heard = await admin.post("/apps/shop/upgrade-rooms", body | {"dryRun": False})
    assert heard.data["upgraded"] == 1
    notes = (await host.organizer.get("/notifications")).data
    assert notes[0]["title"] == "Shop 2.1.0"
