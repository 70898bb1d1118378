"""Accounts: invited, created, given new passwords, and deactivated."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from mymozhem.auth.principal import OPERATOR
from mymozhem.monitoring.tables import OutgoingMailRow
from tests.support.api_host import PASSWORD, ApiHost, Caller, Heard, make_api_host

NEW_PASSWORD = "a longer passphrase"
EMAIL = "organizer@example.com"
MAIL = {"smtp_url": "smtp://127.0.0.1:1", "mail_from": "host@example.com"}


@pytest.fixture
def with_settings(database_url, clock, tmp_path):
    @asynccontextmanager
    async def start(**settings: object) -> AsyncIterator[ApiHost]:
        async with make_api_host(database_url, clock, tmp_path, **settings) as host:
            yield host

    return start


async def admin_of(host: ApiHost) -> Caller:
    return await host.person("admin@example.com", is_admin=True)


async def invite(host: ApiHost, **wishes: object) -> str:
    heard = await (await admin_of(host)).post("/admin/invitations", wishes)
    assert heard.status == 201, heard.raw
    assert heard.data["link"].partition("#")[2] == heard.data["token"]
    return heard.data["token"]


async def sign_up(host: ApiHost, token: str, email: str = "new@example.com", **more) -> Heard:
    body = {"invitation": token, "email": email, "name": "Nia", "password": NEW_PASSWORD}
    return await host.nobody.post("/auth/sign-up", body | more)


async def sign_in(host: ApiHost, password: str, email: str = EMAIL) -> Heard:
    return await host.nobody.post("/auth/login", {"email": email, "password": password})


async def mails(host: ApiHost) -> list[OutgoingMailRow]:
    async with host.database.read() as session:
        return list(await session.scalars(select(OutgoingMailRow).order_by(OutgoingMailRow.id)))


def secret_in(mail: OutgoingMailRow) -> str:
    line = next(line for line in mail.body.splitlines() if "#" in line)
    return line.partition("#")[2]


# ---------------------------------------------------------------------------------- invitations


@pytest.mark.both_engines
async def test_an_invitation_makes_one_account(host):
    token = await invite(host)
    heard = await sign_up(host, token)
    assert heard.status == 201
    user = heard.data["user"]
    assert (user["email"], user["isAdmin"], user["emailVerified"]) == (
        "new@example.com",
        False,
        False,
    )
    me = await Caller(host.app.test_client(), heard.data["accessToken"]).get("/auth/me")
    assert me.data["id"] == user["id"]
    again = await sign_up(host, token, "other@example.com")
    assert (again.status, again.code) == (404, "LINK_INVALID")


async def test_a_scanner_that_follows_the_link_consumes_nothing(host):
    admin = await admin_of(host)
    link = (await admin.post("/admin/invitations", {})).data
    page, _, token = link["link"].removeprefix("http://127.0.0.1:8000").partition("#")
    for method in ("GET", "HEAD"):
        for path in (page, "/api/v1/auth/sign-up", f"/api/v1/auth/sign-up?invitation={token}"):
            await host.nobody.ask(method, f"/{path}")
    assert (await sign_up(host, token)).status == 201


@pytest.mark.parametrize("wrong", ["", "x" * 43, "../..", "\u0000", "ü"])
async def test_nobody_signs_up_without_a_valid_invitation(host, wrong):
    heard = await sign_up(host, wrong)
    assert heard.status in (404, 422)


async def test_an_invitation_expires_and_is_for_its_address_alone(host, clock):
    token = await invite(host, email="Nia@Example.com")
    assert (await sign_up(host, token, "mallory@example.com")).code == "LINK_INVALID"
    clock.advance(timedelta(days=7))
    assert (await sign_up(host, token, "nia@example.com")).code == "LINK_INVALID"


async def test_an_invitation_stays_valid_after_an_error(host):
    token = await invite(host)
    assert (await sign_up(host, token, EMAIL)).code == "EMAIL_TAKEN"
    assert (await sign_up(host, token, password="short")).status == 422
    assert (await sign_up(host, token)).status == 201


@pytest.mark.parametrize("more", [{"isAdmin": True}, {"role": "ADMIN"}, {"emailVerified": True}])
async def test_nobody_assigns_themselves_more_than_the_invitation_gives(host, more):
    token = await invite(host)
    assert (await sign_up(host, token, **more)).status == 422
    assert (await sign_up(host, token)).data["user"]["isAdmin"] is False


async def test_admins_invite_admins_list_and_withdraw_invitations(host):
    admin = await admin_of(host)
    made = (await admin.post("/admin/invitations", {"isAdmin": True})).data
    listed = (await admin.get("/admin/invitations")).data
    assert [(each["id"], each["isAdmin"], each["usedAt"]) for each in listed] == [
        (made["id"], True, None)
    ]
    assert made["token"] not in str(listed)
    assert (await host.organizer.post("/admin/invitations", {})).status == 403
    assert (await admin.delete(f"/admin/invitations/{made['id']}")).status == 200
    assert (await sign_up(host, made["token"])).code == "LINK_INVALID"
    assert (await admin.delete(f"/admin/invitations/{made['id']}")).status == 404


async def test_a_closed_host_takes_no_accounts(with_settings):
    async with with_settings(sign_up="closed", **MAIL) as host:
        admin = await admin_of(host)
        assert (await admin.post("/admin/invitations", {})).code == "SIGN_UP_CLOSED"
        assert (await sign_up(host, "x" * 43)).code == "SIGN_UP_CLOSED"
        request = await host.nobody.post("/auth/sign-up/request", {"email": "a@example.com"})
        assert request.code == "SIGN_UP_CLOSED"


async def test_an_open_host_sends_invitations_to_its_domains(with_settings):
    async with with_settings(sign_up="open", sign_up_domains="example.com", **MAIL) as host:
        for email in ("nia@example.com", "nia@evil.example", EMAIL, "nia@sub.example.com"):
            heard = await host.nobody.post("/auth/sign-up/request", {"email": email})
            assert (heard.status, heard.data) == (200, {"success": True})
        sent = await mails(host)
        assert [each.recipient for each in sent] == ["nia@example.com"]
        heard = await sign_up(host, secret_in(sent[0]), "nia@example.com")
        assert heard.data["user"]["emailVerified"] is True


async def test_an_address_gets_three_invitations_in_an_hour(with_settings, clock):
    async with with_settings(sign_up="open", **MAIL) as host:
        for _ in range(5):
            await host.nobody.post("/auth/sign-up/request", {"email": "nia@example.com"})
        assert len(await mails(host)) == 3
        clock.advance(timedelta(hours=1))
        await host.nobody.post("/auth/sign-up/request", {"email": "nia@example.com"})
        assert len(await mails(host)) == 4


# ------------------------------------------------------------------------------------ passwords


async def test_a_changed_password_ends_all_other_sessions(host):
    phone = (await sign_in(host, PASSWORD)).data
    laptop = (await sign_in(host, PASSWORD)).data
    caller = Caller(host.app.test_client(), laptop["accessToken"])
    body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    assert (await caller.post("/auth/password", body | {"currentPassword": "wrong"})).status == 401
    assert (await caller.post("/auth/password", body)).status == 200
    assert (await caller.get("/auth/me")).status == 200
    other = Caller(host.app.test_client(), phone["accessToken"])
    assert (await other.get("/auth/me")).code == "TOKEN_REVOKED"
    renewed = await host.nobody.post("/auth/refresh", {"refreshToken": phone["refreshToken"]})
    assert renewed.status == 401
    assert [(await sign_in(host, each)).status for each in (PASSWORD, NEW_PASSWORD)] == [401, 200]


@pytest.mark.both_engines
async def test_a_link_to_a_new_password_works_once_and_signs_out_everywhere(with_settings):
    async with with_settings(**MAIL) as host:
        old = (await sign_in(host, PASSWORD)).data
        known = await host.nobody.post("/auth/password/request", {"email": EMAIL})
        unknown = await host.nobody.post("/auth/password/request", {"email": "no@example.com"})
        assert (known.status, known.raw) == (unknown.status, unknown.raw)
        (mail,) = await mails(host)
        body = {"token": secret_in(mail), "password": NEW_PASSWORD}
        short = await host.nobody.post("/auth/password/choose", body | {"password": "short"})
        assert short.status == 422
        assert (await host.nobody.post("/auth/password/choose", body)).status == 200
        again = await host.nobody.post("/auth/password/choose", body)
        assert again.code == "LINK_INVALID"
        caller = Caller(host.app.test_client(), old["accessToken"])
        assert (await caller.get("/auth/me")).code == "TOKEN_REVOKED"
        assert (await sign_in(host, NEW_PASSWORD)).status == 200


async def test_a_link_is_for_one_purpose_and_expires(with_settings, clock):
    async with with_settings(**MAIL) as host:
        await host.nobody.post("/auth/password/request", {"email": EMAIL})
        (mail,) = await mails(host)
        assert (await sign_up(host, secret_in(mail))).code == "LINK_INVALID"
        clock.advance(timedelta(hours=1))
        body = {"token": secret_in(mail), "password": NEW_PASSWORD}
        late = await host.nobody.post("/auth/password/choose", body)
        assert late.code == "LINK_INVALID"


async def test_guessing_links_is_slowed_down(with_settings):
    async with with_settings(rate_limits_enabled=True) as host:
        body = {"token": "x" * 43, "password": NEW_PASSWORD}
        heard = [await host.nobody.post("/auth/password/choose", body) for _ in range(21)]
        assert [each.status for each in heard] == [404] * 20 + [429]


# --------------------------------------------------------------------------------------- admins


@pytest.mark.both_engines
async def test_a_deactivated_account_is_out_at_once_and_comes_back(host):
    admin = await admin_of(host)
    session = (await sign_in(host, PASSWORD)).data
    caller = Caller(host.app.test_client(), session["accessToken"])
    user = f"/admin/users/{session['user']['id']}"
    heard = await admin.post(f"{user}/deactivate", {"reason": "left the company"})
    assert heard.data["deactivatedReason"] == "left the company"
    assert (await caller.get("/auth/me")).code == "TOKEN_REVOKED"
    assert (await sign_in(host, PASSWORD)).code == "ACCOUNT_DEACTIVATED"
    assert (await sign_in(host, "wrong password")).code == "INVALID_CREDENTIALS"
    renewed = await host.nobody.post("/auth/refresh", {"refreshToken": session["refreshToken"]})
    assert renewed.status == 401
    listed = (await admin.get("/admin/users?status=deactivated")).data
    assert [each["email"] for each in listed] == [EMAIL]
    assert (await admin.post(f"{user}/activate")).data["deactivatedAt"] is None
    assert (await sign_in(host, PASSWORD)).status == 200
    history = (await admin.get(f"{user}/history")).data
    assert {each["action"] for each in history} == {
        "user.deactivate",
        "user.activate",
        "revoke.person",
        "revoke.session",
    }


async def test_an_admin_signs_an_account_out_everywhere(host, clock):
    admin = await admin_of(host)
    session = (await sign_in(host, PASSWORD)).data
    user = f"/admin/users/{session['user']['id']}"
    assert (await admin.post(f"{user}/revoke", {"reason": "lost phone"})).status == 200
    caller = Caller(host.app.test_client(), session["accessToken"])
    assert (await caller.get("/auth/me")).code == "TOKEN_REVOKED"
    clock.advance(1)
    again = (await sign_in(host, PASSWORD)).data
    assert (await Caller(caller.client, again["accessToken"]).get("/auth/me")).status == 200


async def test_the_last_admin_cannot_be_deactivated(host):
    admin = await admin_of(host)
    body = {"reason": "a mistake"}
    heard = await admin.post(f"/admin/users/{admin.id}/deactivate", body)
    assert (heard.status, heard.code) == (409, "LAST_ADMIN")
    other = await host.person("other@example.com", is_admin=True)
    assert (await admin.post(f"/admin/users/{other.id}/deactivate", body)).status == 200
    assert (await admin.post(f"/admin/users/{admin.id}/deactivate", body)).code == "LAST_ADMIN"


@pytest.mark.parametrize(
    ("text", "found"),
    [("ORGAN", 1), ("%", 0), ("_", 0), ("' OR 1=1 --", 0), ("example.com", 2), ("nobody", 0)],
)
async def test_admins_find_accounts_by_a_part_of_name_or_address(host, text, found):
    admin = await admin_of(host)
    guest, _ = await host.guest(await host.start())
    heard = await admin.ask("GET", "/admin/users?q=" + text.replace("%", "%25").replace(" ", "+"))
    assert len(heard.data) == found
    assert guest.id not in {each["id"] for each in heard.data}


async def test_accounts_are_listed_in_parts(host):
    admin = await admin_of(host)
    first = (await admin.get("/admin/users?limit=1")).data
    rest = (await admin.get(f"/admin/users?before={first[0]['id']}")).data
    assert [each["email"] for each in first + rest] == ["admin@example.com", EMAIL]


async def test_a_deleted_person_leaves_no_link_and_no_mail(with_settings):
    async with with_settings(**MAIL) as host:
        await host.nobody.post("/auth/password/request", {"email": EMAIL})
        assert len(await mails(host)) == 1
        assert (await host.organizer.delete(f"/users/{host.organizer.id}")).status == 200
        assert await mails(host) == []


async def test_the_operator_needs_no_account(host):
    found = await host.host.administration.find(OPERATOR, text="organizer")
    assert [each.email for each in found] == [EMAIL]
