"""Sessions: a refresh token works once, and what has ended is refused by every process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import jwt
import pytest
from sqlalchemy import func, select

from mymozhem.app import create_app, host_of
from mymozhem.auth.key_file import derive_material
from mymozhem.auth.keys import Keys
from mymozhem.auth.refresh_tokens import RefreshTokens
from mymozhem.auth.revocations import NOT_READY_AFTER, STALE_AFTER, Revocations, TokenIdentity
from mymozhem.auth.tables import SessionRow, TokenBlacklistRow
from mymozhem.rooms.jobs.cleanup import Cleaner
from tests.support.api_host import PASSWORD, ApiHost, Caller, Heard, make_api_host

EMAIL = "organizer@example.com"
OWN_PAGE = {"Origin": "https://events.example.org"}
FOREIGN = (
    "https://evil.example",
    "http://events.example.org",
    "https://events.example.org:8443",
    "https://events.example.org.evil.example",
    "null",
)


async def sign_in(host: ApiHost, **headers: str) -> tuple[Caller, Heard]:
    client = Caller(host.app.test_client())
    body = {"email": EMAIL, "password": PASSWORD}
    heard = await client.post("/auth/login", body, headers=headers)
    assert heard.status == 200, heard.raw
    return Caller(client.client, heard.data["accessToken"], heard.data["user"]["id"]), heard


async def renew(host: ApiHost, token: str) -> Heard:
    return await host.nobody.post("/auth/refresh", {"refreshToken": token})


async def other_process(host: ApiHost) -> ApiHost:
    """Return the same host in another process, as far as memory is concerned."""
    given = host.host.services
    app = create_app(given.settings, clock=given.clock, catalog=given.catalog, run_jobs=False)
    await app.startup()
    dependencies = host_of(app)
    assert dependencies is not None
    return ApiHost(app, dependencies, Caller(app.test_client()))


async def stored(host: ApiHost, table: type) -> int:
    async with host.database.read() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


# -------------------------------------------------------------------------------------- refresh


@pytest.mark.both_engines
async def test_a_refresh_token_gives_new_tokens_and_only_its_digest_is_stored(host):
    _, heard = await sign_in(host)
    first = heard.data["refreshToken"]
    renewed = (await renew(host, first)).data
    assert renewed["refreshToken"] not in (None, first)
    me = await Caller(host.app.test_client(), renewed["accessToken"]).get("/auth/me")
    assert (me.status, me.data["email"]) == (200, EMAIL)
    async with host.database.read() as session:
        row = (await session.scalars(select(SessionRow))).one()
    assert row.generation == 2
    assert not {first, renewed["refreshToken"]} & {str(value) for value in vars(row).values()}


@pytest.mark.both_engines
async def test_a_hundred_requests_with_one_token_get_one_successor(host):
    _, heard = await sign_in(host)
    answers = await asyncio.gather(*(renew(host, heard.data["refreshToken"]) for _ in range(100)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.data["refreshToken"] for answer in answers}) == 1
    assert await stored(host, SessionRow) == 1
    assert (await renew(host, answers[0].data["refreshToken"])).status == 200


async def test_a_lost_response_is_repeated_within_ten_seconds(host, clock):
    _, heard = await sign_in(host)
    lost = (await renew(host, heard.data["refreshToken"])).data
    clock.advance(10)
    again = (await renew(host, heard.data["refreshToken"])).data
    assert again["refreshToken"] == lost["refreshToken"]


async def late(host: ApiHost, clock, first: str) -> None:
    clock.advance(10.001)


async def successor_used(host: ApiHost, clock, first: str) -> None:
    second = (await renew(host, first)).data["refreshToken"]
    assert (await renew(host, second)).status == 200


@pytest.mark.parametrize("meanwhile", [late, successor_used])
async def test_a_token_that_is_used_again_ends_its_session(host, clock, meanwhile):
    caller, heard = await sign_in(host)
    first = heard.data["refreshToken"]
    second = (await renew(host, first)).data
    await meanwhile(host, clock, first)
    reused = await renew(host, first)
    assert (reused.status, reused.code) == (401, "REFRESH_TOKEN_INVALID")
    assert (await renew(host, second["refreshToken"])).status == 401
    heard = await caller.get("/auth/me")
    assert (heard.status, heard.code) == (401, "TOKEN_REVOKED")
    assert await stored(host, SessionRow) == 0


async def test_an_unused_session_ends_after_its_days(host, clock):
    _, heard = await sign_in(host)
    clock.advance(timedelta(days=29))
    second = (await renew(host, heard.data["refreshToken"])).data["refreshToken"]
    clock.advance(timedelta(days=29))
    third = (await renew(host, second)).data["refreshToken"]
    clock.advance(timedelta(days=30))
    assert (await renew(host, third)).code == "REFRESH_TOKEN_INVALID"


async def test_nobody_guesses_forges_or_respells_a_refresh_token(host):
    caller, heard = await sign_in(host)
    token = heard.data["refreshToken"]
    session = host.host.tokens.verify(caller.token).session_id
    strangers = RefreshTokens(Keys(derive_material("the secret of another host")))
    forged = [
        strangers.write(session, 1),
        strangers.write(session, 2),
        token[:-1],
        token + "=",
        token + "A",
        token[:-1] + chr(ord(token[-1]) ^ 1),
        token.lower(),
        "mmr_",
        session,
        "x" * 256,
    ]
    for each in forged:
        assert (await renew(host, each)).code == "REFRESH_TOKEN_INVALID", each
    assert (await renew(host, token)).status == 200  # none of them ended the session


# ---------------------------------------------------------------------------------- list and end


@pytest.mark.both_engines
async def test_sessions_are_listed_with_their_device_and_ended_one_by_one(host, clock):
    phone, _ = await sign_in(host, **{"User-Agent": "Phone 1"})
    clock.advance(60)
    laptop, _ = await sign_in(host, **{"User-Agent": "Laptop" + 300 * "p"})
    listed = (await laptop.get("/auth/sessions")).data
    assert [(each["deviceInfo"], each["current"]) for each in listed] == [
        ("Laptop" + 194 * "p", True),
        ("Phone 1", False),
    ]
    stranger = await host.person("stranger@example.com")
    assert (await stranger.delete(f"/auth/sessions/{listed[1]['id']}")).status == 404
    assert (await laptop.delete(f"/auth/sessions/{listed[1]['id']}")).status == 200
    assert (await phone.get("/auth/me")).code == "TOKEN_REVOKED"
    assert [each["id"] for each in (await laptop.get("/auth/sessions")).data] == [listed[0]["id"]]
    assert (await laptop.delete(f"/auth/sessions/{listed[1]['id']}")).status == 404


@pytest.mark.both_engines
async def test_all_sessions_end_at_once_or_all_others(host):
    callers = [(await sign_in(host))[0] for _ in range(3)]
    assert (await callers[0].delete("/auth/sessions?others=true")).data["ended"] == 2
    assert [(await each.get("/auth/me")).status for each in callers] == [200, 401, 401]
    assert (await callers[0].delete("/auth/sessions")).data["ended"] == 1
    assert (await callers[0].get("/auth/me")).code == "TOKEN_REVOKED"


@pytest.mark.parametrize("told", ["access", "refresh", "both", "expired"])
async def test_logging_out_ends_the_session_with_and_without_a_body(host, clock, told):
    caller, heard = await sign_in(host)
    token = heard.data["refreshToken"]
    body = {"refreshToken": token} if told in ("refresh", "both") else None
    if told == "expired":
        clock.advance(timedelta(hours=2))
    asking = caller if told != "refresh" else host.nobody
    for _ in range(2):
        assert (await asking.post("/auth/logout", body)).data == {"success": True}
    assert (await renew(host, token)).status == 401
    assert (await caller.get("/auth/me")).code == (
        "TOKEN_EXPIRED" if told == "expired" else "TOKEN_REVOKED"
    )


async def test_a_guest_signs_out(host):
    room = await host.start()
    guest, _ = await host.guest(room)
    assert (await guest.get("/auth/sessions")).data == []
    assert (await guest.post("/auth/logout")).status == 200
    assert (await guest.get("/auth/me")).code == "TOKEN_REVOKED"


async def test_logging_out_without_any_token_ends_nothing(host):
    caller, _ = await sign_in(host)
    assert (await host.nobody.post("/auth/logout")).status == 200
    garbage = Caller(host.app.test_client(), "garbage")
    assert (await garbage.post("/auth/logout")).status == 200
    assert (await caller.get("/auth/me")).status == 200


# ------------------------------------------------------------------------------------ processes


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_another_process_refuses_what_was_ended_and_needs_no_message(host):
    other = await other_process(host)
    try:
        caller, _ = await sign_in(host)
        there = Caller(other.app.test_client(), caller.token)
        assert (await there.get("/auth/me")).status == 200
        await caller.post("/auth/logout")
        while (heard := await there.get("/auth/me")).status == 200:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert heard.code == "TOKEN_REVOKED"
    finally:
        await other.app.shutdown()


@pytest.mark.both_engines
async def test_a_deleted_person_has_no_valid_token(host):
    admin = await host.person("admin@example.com", is_admin=True)
    caller, heard = await sign_in(host)
    assert (await admin.delete(f"/users/{caller.id}")).status == 200
    assert (await caller.get("/auth/me")).code == "TOKEN_REVOKED"
    assert (await renew(host, heard.data["refreshToken"])).status == 401


@pytest.mark.both_engines
async def test_a_follower_that_missed_a_minute_reads_everything(host, clock):
    caller, _ = await sign_in(host)
    claims = jwt.decode(caller.token, options={"verify_signature": False})
    identity = TokenIdentity.of(
        token_id=claims["jti"],
        session_id=claims["sid"],
        subject=claims["sub"],
        issued=claims["iat"],
    )
    await caller.post("/auth/logout")
    clock.advance(timedelta(minutes=5))
    revocations = Revocations(host.database)
    await revocations.refresh()
    assert revocations.is_revoked(identity)
    clock.advance(timedelta(hours=2))
    await revocations.refresh()
    assert not revocations.is_revoked(identity)  # the token has expired


@pytest.mark.both_engines
async def test_what_has_ended_is_deleted_later(host, clock):
    caller, _ = await sign_in(host)
    await sign_in(host)
    await caller.post("/auth/logout")
    cleaner = Cleaner(host.host.services)
    await cleaner.delete_expired()
    assert (await stored(host, SessionRow), await stored(host, TokenBlacklistRow)) == (1, 1)
    clock.advance(timedelta(days=31))
    await cleaner.delete_expired()
    assert (await stored(host, SessionRow), await stored(host, TokenBlacklistRow)) == (0, 0)


# --------------------------------------------------------------------------------- fail closed


@pytest.fixture
def unread(monkeypatch):
    """Let the mirror be as old as if it had not been read for a number of seconds."""

    def age(seconds: float) -> None:
        monkeypatch.setattr(Revocations, "age", property(lambda _: seconds))

    return age


async def test_privileged_writes_wait_while_revocations_are_unknown(host, unread):
    admin = await host.person("admin@example.com", is_admin=True)
    room = await host.start()
    guest, told = await host.guest(room)
    unread(STALE_AFTER + 1)
    path = f"/rooms/{room['id']}"
    for caller, method, where, body in (
        (host.organizer, "PATCH", path, {"name": "Other"}),
        (host.organizer, "POST", f"{path}/actions/do", {}),
        (admin, "DELETE", path, None),
        (admin, "POST", "/apps", {"appId": "x", "manifest": {}}),
    ):
        heard = await caller.ask(method, where, body)
        assert (heard.status, heard.code) == (503, "REVOCATIONS_UNKNOWN"), where
    assert (await host.organizer.get(path)).status == 200
    assert (await guest.post(f"{path}/actions/do", {})).status == 200
    mine = f"{path}/participants/{told['participant']['id']}"
    assert (await guest.patch(mine, {"name": "Zoe"})).status == 200


async def test_a_process_that_hears_of_no_revocation_is_not_ready(host, unread):
    assert (await host.nobody.get("//health/ready")).status == 200
    unread(NOT_READY_AFTER + 1)
    heard = await host.nobody.get("//health/ready")
    assert (heard.status, heard.code) == (503, "REVOCATIONS_UNKNOWN")


# ------------------------------------------------------------------------------------- browsers


@pytest.fixture
def at(database_url, clock, tmp_path):
    @asynccontextmanager
    async def start(public_url: str, **settings: object) -> AsyncIterator[ApiHost]:
        async with make_api_host(
            database_url, clock, tmp_path, public_url=public_url, **settings
        ) as host:
            yield host

    return start


@pytest.mark.parametrize(
    ("address", "cookie", "secure"),
    [
        ("https://events.example.org", "__Host-mm", True),
        ("http://192.168.1.5:8000", "mm-8000", False),
    ],
)
async def test_the_hosts_own_page_keeps_its_refresh_token_in_a_cookie(at, address, cookie, secure):
    async with at(address) as host:
        caller, heard = await sign_in(host, Origin=address)
        assert heard.data["refreshToken"] is None
        line = next(
            each for each in heard.headers.getlist("Set-Cookie") if each.startswith(f"{cookie}=")
        )
        parts = {part.strip() for part in line.split(";")[1:]}
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
        assert ("Secure" in parts) is secure
        assert not any(part.startswith("Domain") for part in parts)
        token = line.split(";")[0].partition("=")[2]
        sent = {"Cookie": f"{cookie}={token}", "Origin": address}
        client = Caller(host.app.test_client(use_cookies=False))
        renewed = await client.post("/auth/refresh", headers=sent)
        assert (renewed.status, renewed.data["refreshToken"]) == (200, None)
        out = await client.post("/auth/logout", headers=sent)
        assert out.status == 200
        assert "Max-Age=0" in out.headers["Set-Cookie"]
        assert (await caller.get("/auth/me")).code == "TOKEN_REVOKED"


async def test_the_cookie_of_another_scheme_is_never_read(at):
    async with at("https://events.example.org") as host:
        _, heard = await sign_in(host)
        client = Caller(host.app.test_client(use_cookies=False))
        for name in ("mm-443", "mm-80", "mm", "mm-8000"):
            sent = OWN_PAGE | {"Cookie": f"{name}={heard.data['refreshToken']}"}
            assert (await client.post("/auth/refresh", headers=sent)).status == 401, name


@pytest.mark.parametrize("origin", [*FOREIGN, None])
async def test_a_page_of_another_origin_cannot_use_the_cookie(at, origin):
    async with at("https://events.example.org") as host:
        caller, heard = await sign_in(host)
        client = Caller(host.app.test_client(use_cookies=False))
        sent = {"Cookie": f"__Host-mm={heard.data['refreshToken']}"}
        if origin is not None:
            sent["Origin"] = origin
        for path in ("/auth/refresh", "/auth/logout"):
            refused = await client.post(path, headers=sent)
            assert (refused.status, refused.code) == (403, "ORIGIN_REFUSED")
        assert (await caller.get("/auth/me")).status == 200


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_changes_nothing(at, origin):
    async with at("https://events.example.org") as host:
        refused = await host.organizer.post(
            "/rooms", {"name": "Evening", "appId": "stall"}, headers={"Origin": origin}
        )
        assert (refused.status, refused.code) == (403, "ORIGIN_REFUSED")
        assert (await host.organizer.get("/auth/me", headers={"Origin": origin})).status == 200


async def test_pages_of_allowed_origins_send_tokens_in_the_body(at):
    pages = "https://pages.example.com"
    async with at("https://events.example.org", cors_origins=pages) as host:
        _, heard = await sign_in(host, Origin=pages)
        assert "__Host-mm=" not in " ".join(heard.headers.getlist("Set-Cookie"))
        client = Caller(host.app.test_client())
        body = {"refreshToken": heard.data["refreshToken"]}
        renewed = await client.post("/auth/refresh", body, headers={"Origin": pages})
        assert renewed.data["refreshToken"]
