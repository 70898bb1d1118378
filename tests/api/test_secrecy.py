"""Between a draw's commit and its reveal no endpoint says more than that it was run."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest
from sqlalchemy import select

from mymozhem.api.v1 import ROUTES
from mymozhem.rooms.tables.prizes import WinnerRow
from tests.support.api_host import ApiHost, Caller

pytestmark = pytest.mark.both_engines

#: what may be different once a sealed result is there; of the draw itself
OF_THE_DRAW = frozenset({"status", "run", "drawnAt"})
GETS = [route.path for route in ROUTES if route.method == "GET" and "{" in route.path]


async def seen_by(caller: Caller, ids: dict[str, str]) -> dict[str, Any]:
    """Return everything that a caller can read: status, ETag and body of each route."""
    seen = {}
    for path in GETS:
        for chosen in choices(path, ids):
            heard = await caller.ask("GET", chosen)
            seen[chosen] = (heard.status, heard.headers.get("ETag"), told(heard.raw))
    for path in ("/rooms?mine=true", "/notifications", "/auth/me", "/users/me/export"):
        heard = await caller.get(path)
        seen[path] = (heard.status, heard.headers.get("ETag"), told(heard.raw))
    return seen


def choices(path: str, ids: dict[str, str]) -> list[str]:
    filled = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], "none"), path)
    lists = {"/winners": ["?sort=-ordinal", "?status=awarded"], "/participants": ["?sort=-points"]}
    more = [ends for name, ends in lists.items() if path.endswith(name)]
    return [filled, *(filled + end for ends in more for end in ends)]


def told(raw: bytes) -> bytes:
    """Return a body without what the mere running of the draw, or the clock, changes."""
    for name in OF_THE_DRAW | {"now"}:
        raw = re.sub(rb'"%s":("[^"]*"|null|true|false),?' % name.encode(), b"", raw)
    return raw


async def test_a_sealed_result_changes_nothing_that_anybody_can_read(host: ApiHost) -> None:
    draw = await committed(host)
    before = {each: await seen_by(caller, draw.ids) for each, caller in draw.callers.items()}
    assert (
        sum(status == HTTPStatus.OK for status, *_ in before["organizer"].values()) > len(GETS) / 2
    )
    await run(host, draw)
    for each, caller in draw.callers.items():
        assert await seen_by(caller, draw.ids) == before[each], each


async def test_a_sealed_win_is_not_there_for_anybody_who_knows_its_id(host: ApiHost) -> None:
    draw = await committed(host)
    await run(host, draw)
    for win in await sealed(host):
        wanted = [
            ("GET", "", None), ("DELETE", "", {"reason": "a guess"}), ("POST", "/fulfill", None),
            ("POST", "/move", {"prizeId": draw.ids["prizeId"], "reason": "a guess"}),
        ]  # fmt: skip
        for method, end, body in wanted:
            heard = await host.organizer.ask(method, f"{draw.base}/winners/{win}{end}", body)
            assert (heard.status, heard.code) == (404, "WINNER_NOT_FOUND")
        redraw = {"replaces": win}
        heard = await host.organizer.post(f"{draw.base}/draws", redraw)
        assert (heard.status, heard.code) == (404, "WINNER_NOT_FOUND")


@dataclass
class Committed:
    """A committed draw of two units, its people and everybody who may look."""

    base: str
    ids: dict[str, str]
    callers: dict[str, Caller]


async def committed(host: ApiHost) -> Committed:
    room = await host.start(prizes=[{"name": "Bicycle", "quantity": 5}])
    base = f"/rooms/{room['id']}"
    prize = (await host.organizer.get(f"{base}/prizes")).data[0]["id"]
    guests = [await host.guest(room, f"Guest {number}") for number in range(4)]
    people = {found["participant"]["id"]: caller for caller, found in guests}
    asked = {"prizes": [{"prizeId": prize, "count": 2}], "reveal": "manual", "reserves": 2}
    draw = (await host.organizer.post(f"{base}/draws", asked)).data["id"]
    ids = {"id": room["id"], "prizeId": prize, "did": draw, "pid": next(iter(people))}
    helpers = {
        "organizer": host.organizer,
        "moderator": await moderator(host, room),
        "admin": await host.person("root@example.com", is_admin=True),
    }
    await host.work()
    return Committed(base, ids | {"appId": "stall", "v": "1.0.0"}, helpers | people)


async def moderator(host: ApiHost, room: Any) -> Caller:
    person = await host.person("helper@example.com")
    joined = await person.post("/auth/guest", {"code": room["code"], "name": "Helper"})
    seat = f"/rooms/{room['id']}/participants/{joined.data['participant']['id']}"
    assert (await host.organizer.patch(seat, {"role": "MODERATOR"})).status == HTTPStatus.OK
    return person


async def run(host: ApiHost, draw: Committed) -> None:
    path = f"{draw.base}/draws/{draw.ids['did']}"
    await host.organizer.post(f"{path}/run", {})
    await host.work()
    assert (await host.organizer.get(path)).data["status"] == "DRAWN"


async def sealed(host: ApiHost) -> list[str]:
    async with host.database.read() as session:
        return list(await session.scalars(select(WinnerRow.id).where(WinnerRow.sealed)))
