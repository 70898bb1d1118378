"""The history of an app over HTTP: what may be published, what changed, what is offered."""

from copy import deepcopy

import pytest

from mymozhem.registry import manifest_history
from tests.support.api_host import ApiHost
from tests.support.remote_manifest import remote_manifest

SETTINGS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "seats": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10},
        "motto": {"type": "string", "x-visibility": "organizer"},
    },
}


def manifest(version: str = "1.0.0", **more):
    return remote_manifest(version=version, settings=deepcopy(SETTINGS), **more)


@pytest.fixture
async def admin(host: ApiHost):
    return await host.person("admin@example.com", is_admin=True)


@pytest.fixture
async def owner(host: ApiHost, admin):
    """Return the owner of the app `raffle`, whose version 1.0.0 is published."""
    person = await host.person("owner@example.com")
    body = {"appId": "raffle", "manifest": manifest(), "ownerEmail": "owner@example.com"}
    assert (await admin.post("/apps", body)).status == 201
    return person


async def publish(by, document, **more):
    return await by.patch("/apps/raffle", {"manifest": document, **more})


async def versions(host: ApiHost):
    heard = await host.organizer.get("/apps/raffle/versions")
    return [each["version"] for each in heard.data]


# --------------------------------------------------------------------------------- publishing


async def test_other_content_under_a_version_that_stands_is_refused(host: ApiHost, owner):
    changed = manifest(actions={"ring": {"title": "Ring"}})
    heard = await publish(owner, changed)
    assert (heard.status, heard.code) == (409, "VERSION_IMMUTABLE")
    same = await publish(owner, manifest())
    assert same.status == 200
    assert await versions(host) == ["1.0.0"]


async def test_going_back_is_refused(host: ApiHost, owner):
    assert (await publish(owner, manifest("1.1.0"))).status == 200
    for version in ("1.0.5", "0.9.0", "1.1.0-rc.1"):
        heard = await publish(owner, manifest(version))
        assert (heard.status, heard.code) == (409, "VERSION_NOT_GREATER"), version
    assert await versions(host) == ["1.0.0", "1.1.0"]


async def test_a_version_that_promises_too_little_is_refused_with_every_change(
    host: ApiHost, owner
):
    document = manifest("1.0.1")
    document["settings"]["properties"]["color"] = {"type": "string"}
    heard = await publish(owner, document)
    assert (heard.status, heard.code) == (409, "BUMP_TOO_SMALL")
    details = heard.body["error"]["details"]
    assert (details["declared"], details["required"]) == ("patch", "minor")
    assert any("color" in each["pointer"] for each in details["changes"])
    assert "minor" in heard.body["error"]["message"]
    document["meta"]["version"] = "1.1.0"
    assert (await publish(owner, document)).status == 200


async def test_a_setting_that_goes_takes_a_major_version(host: ApiHost, owner):
    document = manifest("1.9.0")
    del document["settings"]["properties"]["seats"]
    heard = await publish(owner, document)
    assert (heard.code, heard.body["error"]["details"]["required"]) == ("BUMP_TOO_SMALL", "major")
    document["meta"]["version"] = "2.0.0"
    assert (await publish(owner, document)).status == 200


async def test_a_patch_cannot_show_more_to_more_people(host: ApiHost, owner):
    document = manifest("1.0.1")
    document["settings"]["properties"]["motto"]["x-visibility"] = "public"
    heard = await publish(owner, document)
    assert (heard.status, heard.code) == (409, "BUMP_TOO_SMALL")
    (wider,) = (e for e in heard.body["error"]["details"]["changes"] if e["consent"] == "organizer")
    assert wider["pointer"].startswith("/settings/properties/motto")


@pytest.mark.parametrize(
    "change",
    [{"permissions": ["rooms:read", "prizes:read"]}, {"baseUrl": "https://elsewhere.example.org"}],
    ids=["permission", "host"],
)
async def test_what_only_operators_may_allow_takes_their_consent(
    host: ApiHost, owner, admin, change
):
    document = manifest("2.0.0") | change
    for by, more in ((owner, {}), (owner, {"consent": True}), (admin, {})):
        heard = await publish(by, document, **more)
        assert (heard.status, heard.code) == (409, "CONSENT_REQUIRED")
        assert heard.body["error"]["details"]["consents"][0]["message"]
    assert await versions(host) == ["1.0.0"]
    assert (await publish(admin, document, consent=True)).status == 200
    assert await versions(host) == ["1.0.0", "2.0.0"]


async def test_a_permission_less_takes_nobody_s_consent(owner):
    assert (await publish(owner, manifest("1.1.0", permissions=[]))).status == 200


# -------------------------------------------------------------------------------- differences


async def test_what_has_changed_between_any_two_is_told(host: ApiHost, owner):
    second = manifest("1.1.0")
    second["settings"]["properties"]["color"] = {"type": "string"}
    third = deepcopy(second)
    third["meta"]["version"] = "2.0.0"
    del third["settings"]["properties"]["seats"]
    for document in (second, third):
        assert (await publish(owner, document)).status == 200
    diff = (await host.organizer.get("/apps/raffle/diff?from=1.0.0&to=2.0.0")).data
    assert (diff["oldVersion"], diff["newVersion"]) == ("1.0.0", "2.0.0")
    assert (diff["required"], diff["declared"], diff["sufficient"]) == ("major", "major", True)
    assert {each["class"] for each in diff["changes"]} >= {"minor", "major"}
    assert all(each["message"] for each in diff["changes"])
    back = (await host.organizer.get("/apps/raffle/diff?from=2.0.0&to=1.1.0")).data
    assert (back["declared"], back["sufficient"]) == (None, False)
    same = (await host.organizer.get("/apps/raffle/diff?from=1.1.0&to=1.1.0")).data
    assert (same["changes"], same["required"]) == ([], "none")


@pytest.mark.parametrize(
    ("query", "status"),
    [("from=1.0.0&to=9.9.9", 404), ("from=1.0.0", 422), ("", 422), ("from=1.0.0&to=", 422)],
)
async def test_versions_that_are_not_there_are_no_difference(host: ApiHost, owner, query, status):
    assert (await host.organizer.get(f"/apps/raffle/diff?{query}")).status == status


# ------------------------------------------------------------------------------- deprecation


async def deprecate(by, version="1.0.0", reason="Its draws are slow.", **more):
    body = {"version": version, "reason": reason, **more}
    return await by.post("/apps/raffle/deprecate-version", body)


async def letters(by):
    return (await by.get("/notifications")).data


async def test_a_deprecated_version_keeps_its_rooms_and_gets_no_more(host: ApiHost, owner):
    room = await host.room(appId="raffle", appSettings={})
    assert (await publish(owner, manifest("1.1.0"))).status == 200
    heard = await deprecate(owner, "1.1.0", deadline="2027-06-01T00:00:00Z")
    assert heard.status == 200, heard.raw
    assert (heard.data["told"], heard.data["deadline"][:10]) == (0, "2027-06-01")
    newer = await host.room(appId="raffle", appSettings={})
    assert newer["appManifestVersion"] == "1.0.0"
    again = await host.organizer.get(f"/rooms/{room['id']}")
    assert (again.data["appManifestVersion"], again.data["status"]) == ("1.0.0", "DRAFT")


async def test_organizers_of_its_rooms_are_told_once(host: ApiHost, owner):
    draft = await host.room(appId="raffle", appSettings={})
    over = await host.room(appId="raffle", appSettings={})
    await host.organizer.patch(f"/rooms/{over['id']}", {"status": "CANCELLED"})
    before = len(await letters(host.organizer))
    heard = await deprecate(owner, deadline="2027-06-01T00:00:00Z")
    assert heard.data["told"] == 1
    told = (await letters(host.organizer))[: len(await letters(host.organizer)) - before]
    assert [each["roomId"] for each in told] == [draft["id"]]
    assert "Its draws are slow." in told[0]["message"]
    assert "2027-06-01" in told[0]["message"]
    again = await deprecate(owner, deadline="2027-06-01T00:00:00Z")
    assert again.data["told"] == 0
    assert len(await letters(host.organizer)) == before + 1


async def test_an_app_of_which_every_version_is_deprecated_is_not_offered(host: ApiHost, owner):
    await deprecate(owner)
    card = (await host.organizer.get("/apps/raffle")).data
    assert card["available"] is False
    body = {"name": "A room", "appId": "raffle", "appSettings": {}}
    heard = await host.organizer.post("/rooms", body)
    assert (heard.status, heard.code) == (409, "APP_DEPRECATED")
    lifted = await owner.post("/apps/raffle/deprecate-version", {"version": "1.0.0", "lift": True})
    assert (lifted.status, lifted.data["deprecatedAt"]) == (200, None)
    assert (await host.organizer.post("/rooms", body)).status == 201


async def test_a_deprecation_says_why_and_of_what(host: ApiHost, owner):
    for body, status in (
        ({"version": "1.0.0"}, 422),
        ({"version": "1.0.0", "reason": "  "}, 422),
        ({"version": "9.9.9", "reason": "old"}, 404),
    ):
        heard = await owner.post("/apps/raffle/deprecate-version", body)
        assert heard.status == status, heard.raw
    stranger = await deprecate(host.organizer)
    assert stranger.status == 403


async def test_it_is_in_the_audit_trail(host: ApiHost, owner, admin):
    await deprecate(owner)
    trail = (await admin.get("/admin/audit?action=app.deprecate")).data
    assert [each["details"]["version"] for each in trail] == ["1.0.0"]


async def test_it_stands_in_the_history(host: ApiHost, owner):
    await deprecate(owner)
    async with host.database.read() as session:
        (found,) = await manifest_history.versions(session, "raffle")
    assert found.deprecated_at is not None
