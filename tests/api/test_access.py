"""The role matrix: every row of the table × every kind of caller × own, other and deleted room.

What is expected is computed from the table by its own rule; what happens is a real request.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import update

from mymozhem.auth.access_table import ACCESS, Access, check
from mymozhem.auth.principal import Principal
from mymozhem.auth.sessions import Device
from mymozhem.auth.tables import UserRow
from mymozhem.auth.users import User
from mymozhem.clock import Clock
from mymozhem.contract import PersonKind, Role
from mymozhem.errors import MymozhemError
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.api_host import PASSWORD, ApiHost, Caller, make_api_host
from tests.support.remote_manifest import remote_manifest

MEMBERS = ("viewer", "participant", "moderator", "organizer")
OTHERS = ("anonymous", "non-member", "guest of another room", "admin")
ROLES = {
    "viewer": Role.VIEWER,
    "participant": Role.PARTICIPANT,
    "moderator": Role.MODERATOR,
    "organizer": Role.ORGANIZER,
    "admin": Role.ADMIN,
}
#: outside their own room all members are as people who are in none
CALLS = (
    *((kind, "own") for kind in (*MEMBERS, *OTHERS)),
    *((kind, place) for place in ("other", "public", "deleted") for kind in OTHERS),
)
BODIES: dict[str, Any] = {
    "POST /auth/login": {"email": "organizer@example.com", "password": PASSWORD},
    "POST /auth/guest": {"code": "NOWHERE", "name": "Ada"},
    "POST /auth/return": {"code": "NOWHERE", "returnCode": "NOBODY"},
    "POST /rooms": {"name": "R", "appId": "stall"},
    "PATCH /rooms/{id}": {"description": "new"},
    "POST /rooms/{id}/import/{setting}": {"text": "7", "format": "number"},
    "POST /rooms/{id}/upgrade-manifest": {"targetVersion": "1.0.0"},
    "POST /rooms/{id}/prizes": {"name": "Car"},
    "PATCH /rooms/{id}/prizes/{prizeId}": {"name": "Van"},
    "PATCH /rooms/{id}/participants/{pid}": {"name": "Renamed"},
    "POST /rooms/{id}/participants/{pid}/rename": {"name": "Renamed"},
    "POST /rooms/{id}/participants/import": {"people": [{"name": "Zoe"}]},
    "POST /rooms/{id}/actions/{action}": {},
    "POST /rooms/{id}/draws": {},
    "POST /rooms/{id}/windows/{windowId}/submissions": {"payload": 7},
    "POST /rooms/{id}/windows/{windowId}/extend": {"byMs": 1000},
    "POST /rooms/{id}/windows/{windowId}/rejudge": {"void": True},
    "PATCH /users/{id}": {"name": "Renamed"},
    "POST /apps/validate-manifest": {},
    "POST /apps": {"appId": "newcomer", "manifest": remote_manifest()},
    "PATCH /apps/{appId}": {"manifest": remote_manifest("2.0.0")},
    "POST /apps/{appId}/deprecate-version": {"version": "1.0.0", "lift": True},
    "POST /apps/{appId}/upgrade-rooms": {"from": "1.0.0", "to": "1.0.0"},
    "POST /auth/sign-up": {
        "invitation": "none",
        "email": "new@example.com",
        "name": "Nia",
        "password": "a longer passphrase",
    },
    "POST /auth/sign-up/request": {"email": "new@example.com"},
    "POST /auth/password": {"currentPassword": "wrong", "newPassword": "a longer passphrase"},
    "POST /auth/password/request": {"email": "new@example.com"},
    "POST /auth/password/choose": {"token": "none", "password": "a longer passphrase"},
    "POST /admin/users/{id}/deactivate": {"reason": "left"},
    "POST /admin/users/{id}/revoke": {"reason": "lost phone"},
    "POST /apps/token": {"appId": "nobody", "appSecret": "whsec_nothing"},
    "POST /admin/apps/{appId}/stop": {"reason": "too slow"},
    "POST /admin/dead-letters/retry": {"since": "2030-01-01T00:00:00Z"},
    "POST /admin/breakers/reset": {
        "appId": "stall",
        "version": "1.0.0",
        "capability": "actions",
    },
}
QUERIES = {"GET /apps/{appId}/diff": "?from=1.0.0&to=1.0.0"}
#: for everybody in the room, so that the table alone says who may submit
OPENING: Any = {
    "effect": "openWindow",
    "id": "w",
    "accepts": {"type": "integer"},
    "durationMs": 60_000,
    "submissions": "many",
    "roles": ["ORGANIZER", "MODERATOR", "PARTICIPANT", "VIEWER"],
}


@dataclass
class Scene:
    """A room with one of everything, and whoever calls."""

    room: Any
    ids: dict[str, str]


async def a_scene(host: ApiHost, *, public: bool = False) -> Scene:
    """Start a room with a participant, a prize, a winner, a draw and an open window."""
    room = await host.start(isPublic=public)
    path = f"/rooms/{room['id']}"
    _, joined = await host.guest(room, "Zed")
    await host.guest(room, "Yan")
    pid = joined["participant"]["id"]
    prize = (await host.organizer.post(f"{path}/prizes", {"name": "Bike", "quantity": 9})).data
    spare = (await host.organizer.post(f"{path}/prizes", {"name": "Hat", "quantity": 9})).data
    won = {"participantId": pid, "prizeId": prize["id"]}
    winner = (await host.organizer.post(f"{path}/winners", won)).data
    draw = (await host.organizer.post(f"{path}/draws", {"reveal": "manual"})).data
    await host.organizer.post(f"{path}/actions/do", {"effects": [OPENING]})
    await host.work()
    ids = {"id": room["id"], "pid": pid, "prizeId": prize["id"], "wid": winner["id"]}
    ids |= {"did": draw["id"], "action": "do", "appId": "stall", "v": "1.0.0", "spare": spare["id"]}
    ids |= {"setting": "live", "windowId": OPENING["id"]}
    return Scene(room, ids)


async def a_caller(
    host: ApiHost, kind: str, scene: Scene | None, *, number: int = 0, elsewhere: Any = None
) -> tuple[Caller, Principal | None]:
    """Return somebody of a kind, in the scene's room with their role where they have one."""
    if kind == "anonymous":
        return host.nobody, None
    if kind == "guest of another room":
        elsewhere = elsewhere or await host.start(name="Elsewhere")
        guest, _ = await host.guest(elsewhere)
        return guest, Principal(guest.id, PersonKind.GUEST, elsewhere["id"], "t")
    caller = await host.person(
        f"{kind.replace(' ', '.')}{number}@people.example.com", is_admin=kind == "admin"
    )
    if scene is not None and kind in ROLES and kind != "admin":
        await _seat(host, scene, caller, ROLES[kind])
    return caller, Principal(caller.id, PersonKind.REGISTERED, None, "t")


async def _seat(host: ApiHost, scene: Scene, caller: Caller, role: Role) -> None:
    heard = await caller.post(
        f"/rooms/{scene.ids['id']}/participants", {"code": scene.room["code"], "name": role.title()}
    )
    assert heard.status == 201, heard.raw
    async with host.database.write() as unit:
        await unit.session.execute(
            update(ParticipantRow).where(ParticipantRow.user_id == caller.id).values(role=role)
        )


def expected(endpoint: str, principal: Principal | None, **known: Any) -> int:
    """Return the status that the table asks for; 0 where it lets the caller in."""
    try:
        check(ACCESS[endpoint], principal, **known)
    except MymozhemError as error:
        return error.status
    return 0


async def ask(caller: Caller, endpoint: str, ids: dict[str, str]) -> int:
    method, _, path = endpoint.partition(" ")
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    outside = ("/api", "/health", "/metrics", "/openapi", "/docs", "/.well-known")
    path = f"/{path}" if path == "/" or path.startswith(outside) else path
    path += QUERIES.get(endpoint, "")
    body = BODIES.get(endpoint)
    if endpoint.endswith("/winners") and method == "POST":
        body = {"participantId": ids["pid"], "prizeId": ids["spare"]}
    if endpoint.endswith("/move"):
        body = {"prizeId": ids["spare"], "reason": "a better one"}
    return (await caller.ask(method, path, body)).status


@contextmanager
def saved(database_url: str) -> Iterator[Callable[[], None]]:
    """Save what a SQLite file contains; yield what undoes the changes that requests make."""
    file = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as current, closing(sqlite3.connect(":memory:")) as copy:
        current.backup(copy)
        yield lambda: copy.backup(current)


IN_ROOMS = [endpoint for endpoint in ACCESS if "/rooms/{id}" in endpoint]
ELSEWHERE = [endpoint for endpoint in ACCESS if endpoint not in IN_ROOMS]
OTHERWISE_ELSEWHERE = {
    "POST /auth/refresh": {401},  # without a token
    "POST /auth/sign-up": {404},  # without an invitation
    "POST /auth/sign-up/request": {403},  # not everybody may sign up
    "POST /auth/password": {401},  # with a wrong password
    "POST /auth/password/choose": {404},  # without a link
    "DELETE /admin/invitations/{id}": {404},
    "POST /auth/guest": {404},  # no room has the code that is asked for
    "POST /auth/return": {404},  # nor has anybody the return code
    "POST /apps/token": {401},  # no app has the secret that is shown
    "GET /metrics": {403},  # a test's client has no address
    "POST /admin/alerts/{id}/acknowledge": {404},  # there is none
    "GET /lists/{listId}": {422},  # its address carries a signature
    "GET /admin/deliveries/{id}": {404},  # nothing was ever told
    "POST /admin/dead-letters/{id}/retry": {404},
    "DELETE /admin/dead-letters/{id}": {404},
}
#: what a caller who is let in may still hear, since the room has moved on or its code is missing
OTHERWISE = {
    "POST /rooms/{id}/participants": {404},  # a stranger to a private room needs its code
    "GET /rooms/{id}/draws/{did}/record": {404},  # not revealed yet
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("kind", "place"), CALLS)
async def test_each_caller_gets_from_each_route_of_a_room_what_the_table_says(
    kind: str, place: str, database_url: str, clock: Clock, tmp_path
):
    async with make_api_host(database_url, clock, tmp_path) as host:
        public, inside = place == "public", place == "own"
        scene = await a_scene(host, public=public)
        caller, principal = await a_caller(host, kind, scene if inside else None)
        if place == "deleted":
            await _delete(host, scene)
        role = ROLES.get(kind) if inside or kind == "admin" else None
        wrong = []
        with saved(database_url) as undo:
            for endpoint in IN_ROOMS:
                wanted = expected(
                    endpoint, principal, role=role, admin=kind == "admin", public=public
                )
                if place == "deleted" and wanted in (0, 403):
                    wanted = 404
                status = await ask(caller, endpoint, scene.ids)
                may = OTHERWISE.get(endpoint, set()) | {409}
                if not (status == wanted if wanted else status < 400 or status in may):
                    wrong.append((endpoint, wanted or "let in", status))
                if status < 400 and not endpoint.startswith("GET"):
                    undo()
        assert wrong == [], "\n".join(map(str, wrong))


async def _delete(host: ApiHost, scene: Scene) -> None:
    async with host.database.write() as unit:
        await unit.session.execute(
            update(RoomRow).where(RoomRow.id == scene.ids["id"]).values(deleted_at=unit.now)
        )


PLACES = {"own": True, "other": False}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", OTHERS)
async def test_each_caller_gets_from_each_route_outside_of_rooms_what_the_table_says(
    kind: str, place: str, host: ApiHost
):
    own = PLACES[place] and kind != "anonymous"
    elsewhere = await host.start(name="Elsewhere")
    wrong = []
    for number, endpoint in enumerate(ELSEWHERE):
        caller, principal = await a_caller(host, kind, None, number=number, elsewhere=elsewhere)
        whose = caller.id if own else (await host.person(f"other{number}@example.com")).id
        ids = {"id": whose, "appId": "stall", "v": "1.0.0"}
        if "/notifications/{id}" in endpoint:
            ids["id"] = await _notify(host, whose)
        if "/sessions/{id}" in endpoint:
            ids["id"] = await _session(host, whose)
        owned = Access.SELF in ACCESS[endpoint].callers
        if "{appId}" in endpoint and (owned or not endpoint.startswith("GET")):
            ids["appId"] = (await host.remote_app(f"remote{number}", owner_id=whose)).app_id
        admin = kind == "admin" and Access.ADMIN in ACCESS[endpoint].callers
        wanted = expected(endpoint, principal, role=None, admin=admin, own=own)
        status = await ask(caller, endpoint, ids)
        otherwise = OTHERWISE_ELSEWHERE.get(endpoint, set())
        if not (status == wanted if wanted else status < 400 or status in otherwise):
            wrong.append((endpoint, wanted or "let in", status))
    assert wrong == [], "\n".join(map(str, wrong))


async def _session(host: ApiHost, user_id: str) -> str:
    async with host.database.read() as session:
        user = User.of(await session.get_one(UserRow, user_id))
    return (await host.host.services.sessions.start(user, Device(None, None))).session_id


async def _notify(host: ApiHost, user_id: str) -> str:
    room = await host.room()
    async with host.database.write() as unit:
        row = NotificationRow(
            room_id=room["id"], user_id=user_id, title="Hello", message="", created_at=unit.now
        )
        unit.session.add(row)
        await unit.session.flush()
        return row.id


async def test_people_see_rename_and_remove_themselves(host: ApiHost):
    room = await host.start()
    guest, joined = await host.guest(room, "Ada")
    other, _ = await host.guest(room, "Bob")
    mine = f"/rooms/{room['id']}/participants/{joined['participant']['id']}"
    assert (await guest.get(mine)).data["metadata"] == {}
    assert "metadata" not in (await other.get(mine)).data
    assert (await guest.patch(mine, {"name": "Ada L"})).data["displayName"] == "Ada L"
    assert (await guest.patch(mine, {"role": "ORGANIZER"})).status == 403
    assert (await other.patch(mine, {"name": "Mallory"})).status == 403
    assert (await other.delete(mine)).status == 403
    assert (await guest.delete(mine)).status == 200


async def test_who_waits_to_be_let_in_sees_that(host: ApiHost):
    room = await host.start()
    guest, joined = await host.guest(room, "Shy", answers={"shy": True})
    path = f"/rooms/{room['id']}"
    seen = await guest.get(f"{path}/participants/{joined['participant']['id']}")
    assert seen.data["status"] == "pending"
    assert "appSettings" not in (await guest.get(path)).data
    assert (await guest.get(f"{path}/state")).status == 403


#: what only the people of a public room see of it
INSIDE = {
    "appSettings",
    "entryPolicy",
    "capacity",
    "doorsLocked",
    "continues",
    "drawAnchor",
    "version",
    "deletedAt",
    "role",
}


async def test_each_level_sees_its_own_fields_of_a_room(host: ApiHost):
    room = await host.start(isPublic=True)
    path = f"/rooms/{room['id']}"
    guest, _ = await host.guest(room)
    organizer = (await host.organizer.get(path)).data
    member, stranger = (await guest.get(path)).data, (await host.nobody.get(path)).data
    assert set(member) - set(stranger) == INSIDE
    assert set(stranger["app"]) == {"appId", "manifestVersion", "name"}
    assert set(organizer) - set(member) == {"code", "shortCode"}
    assert member["appSettings"] == {"shown": "to all"}
    assert set(organizer["appSettings"]) == {"shown", "inside", "live"}
    assert "settings" in organizer["app"]["manifest"]
    assert "settings" not in member["app"]["manifest"]
    assert b"to nobody" not in (await guest.get(path)).raw
