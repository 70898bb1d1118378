"""Remote apps over HTTP: registered, managed by their owners, signed in, stopped."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mymozhem.api.callback_dispatch import AllCallbacks
from mymozhem.api.v1 import ROUTES
from mymozhem.auth.access_table import ACCESS
from mymozhem.auth.principal import AppPrincipal
from mymozhem.contract.signing import PublicKey, SharedKey, parse_key
from mymozhem.errors import NotFound
from mymozhem.registry import remote_apps
from tests.support.api_host import ApiHost, Caller, make_api_host
from tests.support.remote_manifest import BASE_URL, FIRST_PLATFORM, remote_manifest

GIVEN = sorted(Path(__file__).resolve().parents[3].glob("shared/data/manifests/*.json"))

OUTSIDE = ("/api/", "/health", "/openapi", "/docs", "/.well-known", "/metrics")
#: these look at no token
ANONYMOUS = {route.endpoint for route in ROUTES if route.anonymous}


@pytest.fixture
async def admin(host: ApiHost):
    return await host.person("admin@example.com", is_admin=True)


@pytest.fixture
async def owner(host: ApiHost):
    return await host.person("owner@example.com")


async def register(by, **more):
    body = {"appId": "raffle", "manifest": remote_manifest(), **more}
    heard = await by.post("/apps", body)
    assert heard.status == 201, heard.raw
    return heard.data


async def sign_in(host: ApiHost, secret: str, app_id: str = "raffle"):
    return await host.nobody.post("/apps/token", {"appId": app_id, "appSecret": secret})


# -------------------------------------------------------------------------------- registering


async def test_an_app_is_registered_listed_and_rooms_are_made_with_it(host: ApiHost, admin):
    made = await register(admin)
    assert set(made) == {"appId", "appSecret", "publicKey", "manifest", "createdAt"}
    assert isinstance(parse_key(made["appSecret"]), SharedKey)
    assert isinstance(parse_key(made["publicKey"]), PublicKey)
    assert made["manifest"] == remote_manifest()
    (card,) = (
        each for each in (await host.organizer.get("/apps")).data if each["appId"] == "raffle"
    )
    assert (card["available"], card["newestVersion"]) == (True, "1.0.0")
    room = await host.room(appId="raffle")
    lock = (await host.organizer.get(f"/rooms/{room['id']}/lock")).data["lock"]
    assert lock["target"]["kind"] == "webhook"
    assert lock["target"]["baseUrl"] == BASE_URL
    audit = (await admin.get("/admin/audit?action=app.register")).data
    assert [each["details"]["appId"] for each in audit] == ["raffle"]


@pytest.mark.parametrize("document", [FIRST_PLATFORM, remote_manifest()], ids=["first", "ours"])
async def test_manifests_of_both_formats_are_accepted_as_they_stand(host: ApiHost, admin, document):
    made = await register(admin, appId="app_raffle_v1", manifest=document)
    assert made["manifest"] == document


@pytest.mark.skipif(not GIVEN, reason="needs the manifests of the first platform beside it")
@pytest.mark.parametrize("path", GIVEN, ids=lambda path: path.stem)
async def test_the_first_platform_s_own_manifests_are_accepted(host: ApiHost, admin, path):
    document = json.loads(path.read_text())
    assert (await register(admin, appId="app_of_old_v1", manifest=document))["manifest"] == document


async def test_what_is_wrong_is_said_by_field(host: ApiHost, admin):
    broken = remote_manifest(permissions=["rooms:burn"], webhooks={})
    heard = await admin.post("/apps", {"appId": "raffle", "manifest": broken})
    assert (heard.status, heard.code) == (422, "MANIFEST_INVALID")
    fields = heard.body["error"]["details"]["fields"]
    assert any(each.startswith("/manifest/permissions/0") for each in fields)
    assert any(each.startswith("/manifest/capabilities/0") for each in fields)
    heard = await admin.post("/apps", {"appId": "Raffle!", "manifest": remote_manifest()})
    assert (heard.status, heard.code) == (422, "MANIFEST_INVALID")
    body = {"appId": "raffle", "manifest": remote_manifest(), "ownerEmail": "nowhere"}
    heard = await admin.post("/apps", body)
    assert list(heard.body["error"]["details"]["fields"]) == ["/ownerEmail"]


@pytest.mark.parametrize("address", ["https://10.0.0.1", "https://[::ffff:169.254.169.254]"])
async def test_an_address_inside_is_refused_when_it_is_saved(host: ApiHost, admin, address):
    manifest = remote_manifest(baseUrl=address)
    heard = await admin.post("/apps", {"appId": "raffle", "manifest": manifest})
    assert (heard.status, heard.code) == (422, "ADDRESS_FORBIDDEN")
    await register(admin)
    manifest = remote_manifest("2.0.0", baseUrl=address)
    assert (await admin.patch("/apps/raffle", {"manifest": manifest})).code == "ADDRESS_FORBIDDEN"


async def test_a_repeated_registration_never_shows_the_secret_again(host: ApiHost, admin):
    body = {"appId": "raffle", "manifest": remote_manifest()}
    key = {"Idempotency-Key": "once"}
    first = await admin.post("/apps", body, headers=key)
    again = await admin.post("/apps", body, headers=key)
    assert (first.status, again.status, again.code) == (201, 409, "ALREADY_DONE")
    assert first.data["appSecret"].encode() not in again.raw
    assert (await admin.post("/apps", body)).code == "APP_ID_TAKEN"


# ----------------------------------------------------------------------------------- managing


async def test_an_owner_publishes_and_others_do_not(host: ApiHost, admin, owner):
    await register(admin, ownerEmail="Owner@Example.com")
    body = {"manifest": remote_manifest("1.1.0")}
    assert (await host.organizer.patch("/apps/raffle", body)).status == 403
    heard = await owner.patch("/apps/raffle", body)
    assert (heard.status, heard.data["version"]) == (200, "1.1.0")
    assert (await owner.patch("/apps/raffle", body)).data == heard.data
    changed = {"manifest": remote_manifest("1.1.0", permissions=[])}
    assert (await owner.patch("/apps/raffle", changed)).code == "VERSION_IMMUTABLE"
    lower = {"manifest": remote_manifest("1.0.5")}
    assert (await owner.patch("/apps/raffle", lower)).code == "VERSION_NOT_GREATER"
    versions = [each["version"] for each in (await owner.get("/apps/raffle/versions")).data]
    assert versions == ["1.0.0", "1.1.0"]
    assert (await admin.patch("/apps/stall", body)).code == "APP_NOT_REMOTE"
    assert (await admin.patch("/apps/absent", body)).code == "APP_NOT_FOUND"


async def test_who_manages_an_app_sees_its_keys_and_nobody_sees_its_secret(
    host: ApiHost, admin, owner
):
    made = await register(admin, ownerEmail="owner@example.com")
    for caller in (admin, owner):
        heard = await caller.get("/apps/raffle")
        management = heard.data["management"]
        assert management["ownerEmail"] == "owner@example.com"
        assert management["stopped"] is None
        kinds = {each["kind"]: each["publicKey"] for each in management["keys"]}
        assert kinds == {"shared": None, "ed25519": made["publicKey"]}
        assert made["appSecret"].encode() not in heard.raw
    assert "management" not in (await host.organizer.get("/apps/raffle")).data
    assert (await admin.get("/apps/stall")).data["management"]["keys"] == []


async def test_a_new_secret_works_beside_the_old_one_for_the_grace(
    host: ApiHost, admin, owner, clock
):
    made = await register(admin, ownerEmail="owner@example.com")
    heard = await owner.post("/apps/raffle/regenerate-secret")
    assert heard.status == 200, heard.raw
    assert heard.data["publicKey"] == made["publicKey"]
    assert heard.data["graceHours"] == 24
    secrets = [made["appSecret"], heard.data["appSecret"]]
    assert [(await sign_in(host, each)).status for each in secrets] == [200, 200]
    clock.advance(timedelta(hours=24))
    assert [(await sign_in(host, each)).status for each in secrets] == [401, 200]
    fresh = await host.person("admin2@example.com", is_admin=True)
    body = {"graceHours": 0, "keyPair": True}
    heard = await fresh.post("/apps/raffle/regenerate-secret", body)
    assert heard.data["publicKey"] != made["publicKey"]
    assert (await sign_in(host, secrets[1])).status == 401
    assert (await sign_in(host, heard.data["appSecret"])).status == 200


async def test_an_app_with_rooms_that_have_not_ended_is_not_deleted(host: ApiHost, admin, owner):
    await register(admin, ownerEmail="owner@example.com")
    running = await host.start(appId="raffle")
    over = await host.start(appId="raffle")
    await host.organizer.patch(f"/rooms/{over['id']}", {"status": "COMPLETED"})
    heard = await admin.delete("/apps/raffle")
    assert (heard.status, heard.code) == (409, "APP_IN_USE")
    listed = {"id": running["id"], "name": running["name"], "status": "ACTIVE"}
    assert heard.body["error"]["details"] == {"rooms": [listed], "count": 1, "force": True}
    assert "force=true" in heard.body["error"]["message"]
    assert "force" not in (await owner.delete("/apps/raffle")).body["error"]["message"]
    assert (await owner.delete("/apps/raffle?force=true")).status == 403
    assert (await host.organizer.get("/apps/raffle")).status == 200
    await host.organizer.patch(f"/rooms/{running['id']}", {"status": "COMPLETED"})
    assert (await owner.delete("/apps/raffle")).data["id"] == "raffle"


async def test_new_rooms_get_the_newest_stable_version_or_the_one_they_ask_for(host, admin):
    await register(admin)
    for version in ("1.1.0-beta.2", "1.0.1"):
        document = remote_manifest()
        document["meta"] = {**document["meta"], "version": version}
        heard = await admin.patch("/apps/raffle", {"manifest": document})
        assert heard.status == 200, heard.raw
    document["meta"]["version"] = "1.1.0-beta.1"
    heard = await admin.patch("/apps/raffle", {"manifest": document})
    assert heard.code == "VERSION_NOT_GREATER"

    body = {"name": "Any", "appId": "raffle"}
    plain = (await host.organizer.post("/rooms", body)).data
    assert plain["appManifestVersion"] == "1.0.1"
    early = await host.organizer.post("/rooms", body | {"appManifestVersion": "1.1.0-beta.2"})
    assert early.data["appManifestVersion"] == "1.1.0-beta.2"
    copied = await host.organizer.post(f"/rooms/{early.data['id']}/copy", {"name": "Copy"})
    assert copied.data["appManifestVersion"] == "1.1.0-beta.2"
    heard = await host.organizer.post("/rooms", body | {"appManifestVersion": "9.0.0"})
    assert (heard.status, heard.code) == (404, "VERSION_NOT_FOUND")
    reason = {"version": "1.1.0-beta.2", "reason": "It was a test."}
    assert (await admin.post("/apps/raffle/deprecate-version", reason)).status == 200
    heard = await host.organizer.post("/rooms", body | {"appManifestVersion": "1.1.0-beta.2"})
    assert (heard.status, heard.code) == (409, "VERSION_DEPRECATED")
    listed = (await host.organizer.get("/apps/raffle")).data
    assert listed["manifest"]["meta"]["version"] == "1.0.1"


async def test_a_setting_that_the_manifest_does_not_declare_is_refused_with_a_hint(host, admin):
    body = {"appId": "holiday", "manifest": FIRST_PLATFORM}
    assert (await admin.post("/apps", body)).status == 201
    date = {"drawDate": "2030-12-31T20:00:00Z"}
    heard = await host.organizer.post(
        "/rooms", {"name": "Any", "appId": "holiday", "appSettings": date | {"ticketCont": 5}}
    )
    assert (heard.status, heard.code) == (422, "SETTINGS_INVALID")
    (said,) = heard.body["error"]["details"]["fields"]["/appSettings/ticketCont"]
    assert "did you mean 'ticketCount'" in said
    room = await host.organizer.post(
        "/rooms", {"name": "Any", "appId": "holiday", "appSettings": date}
    )
    assert room.status == 201


async def test_a_deleted_app_is_gone_and_its_rooms_are_read(host: ApiHost, admin):
    made = await register(admin)
    room = await host.start(appId="raffle")
    assert (await admin.delete("/apps/raffle?force=true")).data["id"] == "raffle"
    assert (await admin.delete("/apps/raffle")).status == 404
    assert (await host.organizer.get("/apps/raffle")).code == "APP_NOT_FOUND"
    assert (await sign_in(host, made["appSecret"])).status == 401
    heard = await host.organizer.post("/rooms", {"name": "Later", "appId": "raffle"})
    assert heard.code == "APP_NOT_FOUND"
    assert (await host.organizer.get(f"/rooms/{room['id']}")).data["appId"] == "raffle"
    assert (await host.organizer.get(f"/rooms/{room['id']}/state")).status == 200
    acted = await host.organizer.post(f"/rooms/{room['id']}/actions/do", {})
    assert (acted.status, acted.code) == (503, "APP_ORPHANED")


# ------------------------------------------------------------------------------ the kill switch


async def test_a_stopped_app_has_no_new_rooms_and_no_tokens(host: ApiHost, admin, owner):
    made = await register(admin, ownerEmail="owner@example.com")
    assert (await owner.post("/admin/apps/raffle/stop", {"reason": "mine"})).status == 403
    heard = await admin.post("/admin/apps/raffle/stop", {"reason": "it answers nonsense"})
    assert heard.data["stopped"] is True
    assert heard.data["reason"] == "it answers nonsense"
    assert host.host.services.catalog.is_stopped("raffle")
    assert (await owner.get("/apps/raffle")).data["available"] is False
    stopped = (await owner.get("/apps/raffle")).data["management"]["stopped"]
    assert (stopped["cause"], stopped["reason"]) == ("operator", "it answers nonsense")
    heard = await host.organizer.post("/rooms", {"name": "Evening", "appId": "raffle"})
    assert (heard.status, heard.code) == (409, "APP_STOPPED")
    heard = await sign_in(host, made["appSecret"])
    assert (heard.status, heard.code) == (403, "APP_STOPPED")
    heard = await admin.post("/admin/apps/raffle/start")
    assert heard.data == {"appId": "raffle", "stopped": False, "stoppedAt": None, "reason": None}
    assert (await sign_in(host, made["appSecret"])).status == 200
    await host.room(appId="raffle")


async def test_an_installed_app_can_be_stopped_too(host: ApiHost, admin):
    await admin.post("/admin/apps/stall/stop", {"reason": "too slow"})
    assert host.host.services.catalog.is_stopped("stall")
    assert (await admin.post("/admin/apps/absent/stop", {"reason": "x"})).status == 404
    assert (await admin.post("/admin/apps/stall/stop", {})).status == 422


# ------------------------------------------------------------------------------------- tokens


async def test_an_app_signs_in_with_the_permissions_of_its_newest_manifest(
    host: ApiHost, admin, clock
):
    made = await register(admin)
    wider = remote_manifest("1.1.0", permissions=["winners:write"])
    await admin.patch("/apps/raffle", {"manifest": wider, "consent": True})
    heard = await sign_in(host, made["appSecret"])
    assert (heard.data["tokenType"], heard.data["expiresIn"]) == ("Bearer", 900)
    principal = host.host.tokens.verify(heard.data["accessToken"])
    assert isinstance(principal, AppPrincipal)
    assert principal.app_id == "raffle"
    assert principal.permissions == {"winners:write"}


@pytest.mark.parametrize(
    ("app_id", "secret"), [("raffle", "whsec_AAAA"), ("absent", "whsec_AAAA"), ("stall", "x")]
)
async def test_app_and_secret_that_do_not_belong_together_are_one_error(
    host: ApiHost, admin, app_id, secret
):
    await register(admin)
    heard = await sign_in(host, secret, app_id)
    assert (heard.status, heard.code) == (401, "INVALID_CREDENTIALS")


async def test_an_app_that_another_process_registered_signs_in_at_once(host: ApiHost):
    made = await host.remote_app(here=False)
    assert not host.host.services.catalog.is_served("raffle", "1.0.0")
    assert (await sign_in(host, made.secret)).status == 200


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_who_guesses_secrets_is_refused_and_the_app_signs_in(database_url, clock, tmp_path):
    async with make_api_host(
        database_url, clock, tmp_path, rate_limits_enabled=True, failures_per_address_per_minute=3
    ) as host:
        made = await host.remote_app()
        statuses = [(await sign_in(host, "whsec_wrong")).status for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await sign_in(host, made.secret)).status == 200


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_an_app_has_a_limit_of_its_own(database_url, clock, tmp_path):
    async with make_api_host(
        database_url, clock, tmp_path, rate_limits_enabled=True, per_app_per_minute=2
    ) as host:
        app = host.signed_in(await host.remote_app())
        path, body = "/callbacks/actions/call_1", {"id": "call_1", "contract": "1.0"}
        heard = [await app.post(path, body) for _ in range(3)]
        assert [each.status for each in heard] == [404, 404, 429]
        assert heard[0].headers["X-RateLimit-Limit"] == "2"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_no_route_for_people_lets_an_app_in(host: ApiHost):
    app = host.signed_in(await host.remote_app())
    unlocked = set()
    for endpoint in ACCESS:
        method, _, path = endpoint.partition(" ")
        if path == "/" or path.startswith(OUTSIDE) or endpoint in ANONYMOUS:
            continue
        heard = await app.ask(method, path.replace("{", "").replace("}", ""), {})
        if heard.status != 403 or heard.code != "APP_PERMISSION_DENIED":
            unlocked.add(endpoint)
        else:
            details = heard.body["error"]["details"]
            assert details == {"required": None, "granted": ["rooms:read"]}
    assert unlocked == {"POST /callbacks/{capability}/{deliveryId}"}


async def test_a_token_of_an_app_ends_soon(host: ApiHost, clock):
    app = host.signed_in(await host.remote_app())
    clock.advance(timedelta(minutes=15, seconds=5))  # with the leeway
    heard = await app.get("/auth/me")
    assert (heard.status, heard.code) == (401, "TOKEN_EXPIRED")


# ----------------------------------------------------------------------------------- callbacks


class Waiting:
    """Something of the host's that waits for one result."""

    def __init__(self, app_id, capability, call_id):
        self.expects = (app_id, capability, call_id)
        self.taken = []

    async def accept(self, app_id, capability, delivery_id, body):
        if (app_id, capability, delivery_id) != self.expects:
            raise NotFound
        self.taken.append(body)


async def test_a_later_result_reaches_the_one_that_waits_for_it(host: ApiHost):
    first, second = Waiting("raffle", "actions", "call_1"), Waiting("raffle", "actions", "call_2")
    host.app.extensions["mymozhem.host"] = replace(
        host.host, callbacks=AllCallbacks([first, second])
    )
    app = host.signed_in(await host.remote_app())
    other = host.signed_in(await host.remote_app("other"))
    body = {"id": "call_2", "contract": "1.0", "data": {"effects": []}, "more": "is ignored"}
    path = "/callbacks/actions/call_2"
    assert (await app.post(path, body)).status == 200
    assert first.taken == []
    assert [each.data for each in second.taken] == [{"effects": []}]
    heard = await other.post(path, body)
    assert (heard.status, heard.code) == (404, "CALLBACK_NOT_FOUND")
    assert (await app.post("/callbacks/windows/call_2", body)).status == 404
    assert len(second.taken) == 1


async def test_a_token_is_over_with_the_secret_that_it_was_got_with(host: ApiHost, admin, clock):
    """A leaked secret that is taken away must not go on for as long as its last token."""
    made = await register(admin)
    path, body = "/callbacks/actions/call_1", {"id": "call_1", "contract": "1.0"}

    async def app(secret):
        token = (await sign_in(host, secret)).data["accessToken"]
        return Caller(host.app.test_client(), token, "raffle")

    old = await app(made["appSecret"])
    renewed = (await admin.post("/apps/raffle/regenerate-secret", {"graceHours": 1})).data
    new = await app(renewed["appSecret"])
    in_grace = await app(made["appSecret"])
    heard = [(await each.post(path, body)).code for each in (old, new, in_grace)]
    assert heard == ["CALLBACK_NOT_FOUND"] * 3
    await admin.post("/apps/raffle/regenerate-secret", {"graceHours": 0})
    for each in (old, new, in_grace):
        heard = await each.post(path, body)
        assert (heard.status, heard.code) == (401, "TOKEN_EXPIRED")


async def test_a_token_of_a_deleted_app_is_good_for_nothing(host: ApiHost, admin):
    app = host.signed_in(await host.remote_app())
    await admin.delete("/apps/raffle")
    heard = await app.post("/callbacks/actions/call_1", {"id": "call_1", "contract": "1.0"})
    assert (heard.status, heard.code) == (404, "APP_NOT_FOUND")


async def test_a_secret_that_another_process_made_is_known_at_once(host: ApiHost):
    made = await host.remote_app()
    services = host.host.services
    async with services.database.write() as unit:
        renewed = await remote_apps.renew_keys(
            unit, services.keys, "raffle", grace=timedelta(0), key_pair=False
        )
    assert (await sign_in(host, made.secret)).status == 401
    async with services.database.read() as session:
        kid = await remote_apps.matching_key(
            session,
            host.host.app_secrets,
            "raffle",
            renewed.secret,
            now=await services.database.now(),
        )
    token = host.host.tokens.issue_app("raffle", (), key_id=kid).access_token
    app = Caller(host.app.test_client(), token, "raffle")
    heard = await app.post("/callbacks/actions/call_1", {"id": "call_1", "contract": "1.0"})
    assert (heard.status, heard.code) == (404, "CALLBACK_NOT_FOUND")


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b'{"id": "call_9", "contract": "1.0"}', "application/json", 422),
        (b'{"contract": "1.0"}', "application/json", 422),
        (b'{"id": "call_1", "id": "call_1"}', "application/json", 400),
        (b"<p>no</p>", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"id": "call_1", "contract": "1.0"}', "text/plain", 415),
        (b" " * 1_100_000, "application/json", 413),
    ],
)
async def test_a_result_that_is_none_is_refused(host: ApiHost, raw, kind, status):
    app = host.signed_in(await host.remote_app())
    heard = await app.post("/callbacks/actions/call_1", raw=raw, headers={"Content-Type": kind})
    assert heard.status == status


async def test_people_and_stopped_apps_send_no_results(host: ApiHost, admin):
    made = await host.remote_app()
    path, body = "/callbacks/actions/call_1", {"id": "call_1", "contract": "1.0"}
    assert (await admin.post(path, body)).status == 403
    assert (await host.nobody.post(path, body)).status == 401
    await admin.post("/admin/apps/raffle/stop", {"reason": "too slow"})
    heard = await host.signed_in(made).post(path, body)
    assert (heard.status, heard.code) == (403, "APP_STOPPED")


async def test_others_are_answered_while_a_large_manifest_is_looked_at(host, admin):
    shared = {"enum": [f"v{n}" for n in range(5_000)]}
    fields = {f"p{n}": {"$ref": "#/$defs/shared", "default": "v1"} for n in range(400)}
    settings = {"$defs": {"shared": shared}, "type": "object", "properties": fields}
    answers = 0

    async def ask():
        nonlocal answers
        while not looked.done():
            heard = await host.nobody.get("/api/versions")
            answers += heard.status == 200

    body = remote_manifest(settings=settings)
    looked = asyncio.ensure_future(admin.post("/apps/validate-manifest", body))
    await ask()
    assert looked.result().data == {"valid": True, "problems": [], "remarks": []}
    assert answers > 5
