"""Bad input: a documented 4xx with a code, the database unchanged, never a 5xx."""

import asyncio
import json

import pytest
from pydantic import ValidationError

from mymozhem.api import request_models
from mymozhem.api.error_handlers import invalid
from mymozhem.api.request_parsing import Body, wire_name
from mymozhem.api.routes import BODY_BYTES
from mymozhem.api.v1 import ROUTES
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.api_host import ApiHost
from tests.support.timing import HANG_TIMEOUT

pytestmark = pytest.mark.both_engines

DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES = {
    "syntax": (b'{"name": ', 400, "MALFORMED_JSON"),
    "nan": (b'{"name": "R", "appId": "stall", "capacity": NaN}', 400, "MALFORMED_JSON"),
    "twice": (b'{"name": "R", "name": "S", "appId": "stall"}', 400, "MALFORMED_JSON"),
    "deep": (
        b'{"name": "R", "appId": "stall", "appSettings": ' + DEEP + b"}",
        400,
        "MALFORMED_JSON",
    ),
    "not utf-8": (b'{"name": "\xff\xfe", "appId": "stall"}', 400, "MALFORMED_JSON"),
    "nul": (b'{"name": "a\\u0000b", "appId": "stall"}', 422, "CONTROL_CHARACTER"),
    "surrogate": (b'{"name": "\\ud800", "appId": "stall"}', 422, "LONE_SURROGATE"),
    "bignum": (
        b'{"name": "R", "appId": "stall", "capacity": ' + b"9" * 40 + b"}",
        422,
        "NUMBER_RANGE",
    ),
    "list": (b"[]", 422, "VALIDATION"),
    "text": (b'"room"', 422, "VALIDATION"),
    "unknown field": (b'{"name": "R", "appId": "stall", "isAdmin": true}', 422, "VALIDATION"),
    "snake case": (b'{"name": "R", "app_id": "stall"}', 422, "VALIDATION"),
    "wrong type": (b'{"name": 7, "appId": "stall"}', 422, "VALIDATION"),
    "number as text": (b'{"name": "R", "appId": "stall", "capacity": "7"}', 422, "VALIDATION"),
    "negative": (b'{"name": "R", "appId": "stall", "capacity": -1}', 422, "VALIDATION"),
    "bad settings": (
        b'{"name": "R", "appId": "stall", "appSettings": {"live": "x"}}',
        422,
        "SETTINGS_INVALID",
    ),
    "no such app": (b'{"name": "R", "appId": "nothing"}', 404, None),
    "too large": (b'{"name": "' + b"x" * 300_000 + b'"}', 413, "TOO_LARGE"),
}


@pytest.mark.parametrize(("raw", "status", "code"), BODIES.values(), ids=BODIES)
async def test_a_bad_body_is_refused_with_a_code(host: ApiHost, raw, status, code):
    heard = await host.organizer.post("/rooms", raw=raw)
    assert (heard.status, heard.code) == (status, code or heard.code)
    async with host.database.read() as session:
        assert await session.get(RoomRow, "any") is None
    assert (await host.organizer.get("/rooms")).body["meta"]["total"] == 0


async def test_a_stranger_makes_no_large_answer_out_of_a_thousand_problems(host: ApiHost):
    raw = b"{%s}" % b",".join(b'"n%d": 0' % number for number in range(20_000))
    heard = await host.nobody.post("/apps/token", raw=raw)
    assert (heard.status, heard.code) == (422, "VALIDATION")
    assert heard.body["error"]["details"]["fields"] == {
        "/": ["20,002 values in here are wrong or unknown."]
    }


async def test_errors_have_one_body_whoever_finds_them(host: ApiHost):
    cases = [
        (await host.nobody.get("/nothing"), 404, "NOT_FOUND"),
        (await host.nobody.ask("PUT", "/rooms"), 405, "METHOD_NOT_ALLOWED"),
        (await host.nobody.get("//rooms//x"), 404, "NOT_FOUND"),
        (await host.nobody.post("/rooms", {}), 401, "UNAUTHENTICATED"),
        (
            await host.organizer.post("/rooms", raw=b"a=b", headers={"Content-Type": "text/plain"}),
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (await host.organizer.get("/rooms/room_nothing"), 404, "ROOM_NOT_FOUND"),
        (await host.organizer.get("/rooms/a%00b"), 404, "NOT_FOUND"),
        (await host.organizer.get("/rooms/" + "x" * 500), 404, "NOT_FOUND"),
    ]
    for heard, status, code in cases:
        assert (heard.status, heard.code) == (status, code)
        assert heard.body["error"].keys() == {"code", "message", "details"}
        assert heard.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=101", "limit=0", "limit=x", "page=0", "page=99999999999999999999", "sort=code",
        "sort=-createdAt,drop", "fields=secret", "unknown=1", "limit=1&limit=2", "status=OPEN",
        "appId=%00", "appId=%ED%A0%80%00", "fields=", "sort=",
    ],
)  # fmt: skip
async def test_a_bad_query_is_refused_by_field(host: ApiHost, query: str):
    heard = await host.nobody.get(f"/rooms?{query}")
    assert heard.status == 422
    assert heard.body["error"]["details"]["fields"]


async def test_problems_are_mapped_by_pointer(host: ApiHost):
    body = {"name": "", "appId": "stall", "prizes": [{"name": "A"}, {"name": "B", "quantity": 0}]}
    heard = await host.organizer.post("/rooms", body)
    assert heard.body["error"]["details"]["fields"].keys() == {"/name", "/prizes/1/quantity"}


@pytest.mark.parametrize(
    "name", ["Quiz\u202enight", "\u2066Quiz", "\u00a0", "\u3164", "\u200b\u2800"]
)
async def test_names_of_rooms_and_prizes_have_no_tricks(host: ApiHost, name: str):
    body = {"name": name, "appId": "stall", "prizes": [{"name": name}]}
    heard = await host.organizer.post("/rooms", body)
    assert heard.body["error"]["details"]["fields"].keys() == {"/name", "/prizes/0/name"}
    room = await host.room()
    for path in (f"/rooms/{room['id']}/copy", f"/rooms/{room['id']}/prizes"):
        assert (await host.organizer.post(path, {"name": name})).status == 422
    assert (await host.organizer.patch(f"/rooms/{room['id']}", {"name": name})).status == 422
    shown = "Burns Night \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
    assert (await host.organizer.patch(f"/rooms/{room['id']}", {"name": shown})).status == 200


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Basic eDp5",
        "Bearer " + "a" * 9000,
        "bearer \x7f",
    ],
)
async def test_a_bad_token_is_401_on_every_route_that_looks_at_it(host: ApiHost, token: str):
    for path in ("/rooms", "/auth/me", "/rooms/room_x"):
        heard = await host.nobody.get(path, headers={"Authorization": token})
        assert heard.status == 401
        assert heard.headers["WWW-Authenticate"] == "Bearer"


async def test_a_request_id_comes_back_where_it_is_fit_to_be_logged(host: ApiHost):
    good = await host.nobody.get("/rooms", headers={"X-Request-ID": "abc-123"})
    assert good.headers["X-Request-ID"] == "abc-123"
    bad = await host.nobody.get("/rooms", headers={"X-Request-ID": "a b;c"})
    assert bad.headers["X-Request-ID"].startswith("req_")


async def test_an_error_of_ours_is_a_500_without_a_trace(host: ApiHost):
    async def broken(**_: object) -> None:
        message = "secret detail"
        raise ZeroDivisionError(message)

    host.app.view_functions["GET /rooms"] = broken
    heard = await host.nobody.get("/rooms")
    assert (heard.status, heard.code) == (500, "INTERNAL")
    assert b"secret" not in heard.raw


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_no_bad_body_breaks_any_route(host: ApiHost):
    room = await host.start()
    for route in ROUTES:
        if route.method == "GET":
            continue
        path = route.endpoint.partition(" ")[2].replace("{id}", room["id"])
        for raw, _, _ in BODIES.values():
            heard = await host.organizer.ask(route.method, path.replace("/me", "/x"), raw=raw)
            assert heard.status < 500, (route.endpoint, raw[:60], heard.raw)


async def test_a_pointer_names_the_field_as_the_caller_wrote_it(host: ApiHost):
    room = (await host.organizer.post("/rooms", {"name": "R", "appId": "stall"})).data
    prize = (
        await host.organizer.post(f"/rooms/{room['id']}/prizes", {"name": "P", "quantity": 1})
    ).data
    me = (await host.organizer.get("/auth/me")).data["id"]
    for path, names in (
        (f"/rooms/{room['id']}", ["isPublic", "entryPolicy", "doorsLocked", "name"]),
        (f"/rooms/{room['id']}/prizes/{prize['id']}", ["name", "quantity", "metadata"]),
        (f"/users/{me}", ["name"]),
    ):
        heard = await host.organizer.patch(path, dict.fromkeys(names))
        assert heard.status == 422
        assert sorted(heard.body["error"]["details"]["fields"]) == sorted(f"/{n}" for n in names)
    heard = await host.organizer.patch(f"/users/{me}", {"avatar": "http://pictures.example/a.png"})
    assert list(heard.body["error"]["details"]["fields"]) == ["/avatar"]
    await host.organizer.patch(f"/rooms/{room['id']}", {"isPublic": True, "doorsLocked": True})
    (event,) = (
        each
        for each in (await host.organizer.get(f"/rooms/{room['id']}/events")).data
        if each["type"] == "room:updated"
    )
    assert event["payload"]["fields"] == ["doorsLocked", "isPublic"]


def bodies() -> list[type[Body]]:
    return [
        each
        for each in vars(request_models).values()
        if isinstance(each, type) and issubclass(each, Body) and each.model_fields
    ]


@pytest.mark.parametrize("model", bodies(), ids=lambda model: model.__name__)
def test_every_problem_of_a_body_points_to_a_field_of_the_request(model):
    names = {wire_name(model, name) for name in model.model_fields}
    for name in names:
        for value in (None, "", "x" * 5_000, -1, [[]], {"": None}):
            try:
                model.model_validate_json(json.dumps({name: value}), by_alias=True, by_name=False)
            except ValidationError as error:
                pointers = invalid(error).details["fields"]
                assert {each.split("/")[1] for each in pointers} <= {*names, ""}


async def test_a_body_of_unknown_length_is_read_up_to_its_limit_and_not_further(host: ApiHost):
    sender = host.app.test_client().request("/api/v1/auth/guest", method="POST")
    async with asyncio.timeout(HANG_TIMEOUT), sender as connection:
        await connection.send(b"x" * (BODY_BYTES + 1))  # and never ends
        await connection.receive()
    assert connection.status_code == 413
