"""Pages of other origins: the allowed ones may call from a browser, all others may not."""

import pytest
from pydantic import ValidationError

from mymozhem.config import Settings
from tests.support.api_host import ApiHost, make_api_host

PAGE = "https://pages.example.com"


@pytest.fixture
async def host(database_url, clock, tmp_path):
    named = f"{PAGE}/, raffle=http://localhost:5173"
    async with make_api_host(database_url, clock, tmp_path, cors_origins=named) as built:
        yield built


async def allowed(host: ApiHost, origin: str) -> bool:
    asked = {"Origin": origin, "Access-Control-Request-Method": "PATCH"}
    before = await host.nobody.ask("OPTIONS", "/rooms/room_1", headers=asked)
    heard = await host.nobody.get("/rooms", headers={"Origin": origin})
    refused = await host.nobody.get("/auth/me", headers={"Origin": origin})
    said = {each.headers.get("Access-Control-Allow-Origin") for each in (before, heard, refused)}
    assert said in ({origin}, {None})
    assert (heard.status, refused.status, before.status) == (200, 401, 204)
    assert "Origin" in heard.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in heard.headers
    return said == {origin}


async def test_a_page_of_the_allow_list_may_call_and_read_the_headers(host: ApiHost):
    assert await allowed(host, PAGE)
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    before = await host.nobody.ask("OPTIONS", "/rooms", headers=asked)
    assert "PATCH" in before.headers["Access-Control-Allow-Methods"]
    assert "X-App-Token" in before.headers["Access-Control-Allow-Headers"]
    heard = await host.nobody.get("/rooms", headers={"Origin": PAGE})
    assert "X-RateLimit-Reset" in heard.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin",
    ["null", "https://evil.example.com", f"{PAGE}.evil.com", "http://pages.example.com", "*"],
)
async def test_every_other_page_may_not(host: ApiHost, origin: str):
    assert not await allowed(host, origin)


async def test_an_app_brings_its_origins_as_long_as_it_works(host: ApiHost):
    pages = ("http://localhost:5173", "https://raffle.example.com")
    assert [await allowed(host, page) for page in pages] == [False, False]
    await host.remote_app("raffle", baseUrl="https://Raffle.example.com:443/hooks")
    assert [await allowed(host, page) for page in pages] == [True, True]
    admin = await host.person("admin@example.com", is_admin=True)
    await admin.post("/admin/apps/raffle/stop", {"reason": "a test"})
    assert [await allowed(host, page) for page in pages] == [False, False]


async def test_without_an_origin_nothing_is_said_about_origins(host: ApiHost):
    heard = await host.nobody.get("/rooms")
    assert not [name for name in heard.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118  these are no mapping


@pytest.mark.parametrize(
    "given", ["*", "https://*.example.com", "null", "https://a.example.com/path", "=https://a.b"]
)
def test_what_is_no_exact_origin_stops_the_host(given: str):
    with pytest.raises(ValidationError, match=r"origin|app id"):
        Settings(cors_origins=given)
