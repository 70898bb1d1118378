"""A person's request with the token of an app beside: what both may do, in the app's rooms."""

from typing import Any

import pytest

from mymozhem.auth.access_table import ACCESS
from mymozhem.auth.app_permissions import permission_for
from mymozhem.manifests.enums import Permission
from tests.support.api_host import ApiHost, Caller

READER = ["rooms:read", "rooms:write", "prizes:read"]


async def raffle(host: ApiHost, **more: Any) -> tuple[dict[str, str], Caller]:
    """Register an app; return the header with its token, and the app itself."""
    made = await host.remote_app("raffle", permissions=READER, **more)
    app = host.signed_in(made)
    return {"X-App-Token": app.token or ""}, app


async def test_the_app_needs_the_permission_and_the_person_the_role(host: ApiHost):
    beside, _ = await raffle(host)
    room = await host.start(appId="raffle")
    path = f"/rooms/{room['id']}/prizes"
    assert (await host.organizer.get(path, headers=beside)).status == 200
    heard = await host.organizer.post(path, {"name": "Bike"}, headers=beside)
    assert (heard.status, heard.code) == (403, "APP_PERMISSION_DENIED")
    details = heard.body["error"]["details"]
    assert details == {"appId": "raffle", "required": "prizes:write", "granted": sorted(READER)}
    assert (await host.organizer.post(path, {"name": "Bike"})).status == 201
    guest, _ = await host.guest(room)
    refused = await guest.patch(f"/rooms/{room['id']}", {"name": "Mine"}, headers=beside)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")


async def test_an_app_stays_in_the_rooms_that_use_it(host: ApiHost):
    beside, _ = await raffle(host)
    other, own = await host.start(isPublic=True), await host.room(appId="raffle")
    for room_id in (other["id"], "room_0"):
        heard = await host.organizer.get(f"/rooms/{room_id}", headers=beside)
        assert (heard.status, heard.code) == (403, "APP_PERMISSION_DENIED")
    heard = await host.organizer.post("/rooms", {"name": "R", "appId": "stall"}, headers=beside)
    assert heard.code == "APP_PERMISSION_DENIED"
    listed = await host.organizer.get("/rooms", headers=beside)
    assert [each["id"] for each in listed.data] == [own["id"]]


async def test_what_is_between_the_person_and_the_host_is_closed_to_apps(host: ApiHost):
    beside, _ = await raffle(host)
    for path in ("/notifications", "/apps", "/users/me/export", "/auth/me"):
        heard = await host.organizer.get(path, headers=beside)
        assert (heard.status, heard.code) == (403, "APP_PERMISSION_DENIED"), path
    assert (await host.nobody.get("/api/versions", headers=beside)).status == 200


async def test_only_the_valid_token_of_a_working_app_is_taken(host: ApiHost):
    beside, app = await raffle(host)
    person = {"X-App-Token": host.organizer.token or ""}
    for wrong in ({"X-App-Token": "nonsense"}, person):
        heard = await host.organizer.get("/rooms", headers=wrong)
        assert (heard.status, heard.code) == (401, "TOKEN_INVALID")
    twice = await app.post("/callbacks/analytics/call_1", {}, headers=beside)
    assert (twice.status, twice.code) == (400, "TWO_APP_TOKENS")
    admin = await host.person("admin@example.com", is_admin=True)
    await admin.post("/admin/apps/raffle/stop", {"reason": "a test"})
    assert (await host.organizer.get("/rooms", headers=beside)).code == "APP_STOPPED"


@pytest.mark.parametrize("endpoint", sorted(ACCESS))
def test_every_permission_that_a_route_takes_is_one_that_manifests_can_name(endpoint):
    found = permission_for(endpoint)
    assert found is None or found in set(Permission)
    path = endpoint.partition(" ")[2]
    in_rooms = path.startswith("/rooms") and not path.endswith("/seat")  # no app moves a guest
    assert (found is None) == (not in_rooms and endpoint not in {"GET /auth/me", "GET /users/{id}"})
