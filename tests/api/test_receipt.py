"""What somebody submits is timed by when all of it had arrived, not by its turn in a queue."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from mymozhem.clock import HeldClock
from tests.support.api_host import ApiHost, Caller, make_api_host
from tests.support.apps.window_app import WindowApp, opening

PAYLOAD = {"payload": {"n": 4}}


@pytest.fixture
async def host(database_url: str, clock: HeldClock, tmp_path: Path) -> AsyncIterator[ApiHost]:
    async with make_api_host(database_url, clock, tmp_path, apps={"desk": WindowApp()}) as built:
        yield built


@pytest.fixture
async def room(host: ApiHost) -> Any:
    """A room with a window that is open for ten seconds."""
    room = await host.start(appId="desk")
    body = {"effects": [opening()]}
    asked = await host.organizer.post(f"/rooms/{room['id']}/actions/do", body)
    assert asked.status == 200, asked.raw
    return room


@pytest.fixture
async def guest(host: ApiHost, room: Any) -> Caller:
    return (await host.guest(room))[0]


def busy(host: ApiHost, clock: HeldClock, seconds: float) -> None:
    """Let every request wait so long before the host comes to it, as in a crowd."""

    async def wait() -> None:
        clock.advance(seconds)

    host.app.before_request_funcs[None].append(wait)


async def test_a_queue_before_the_handler_costs_nobody_time(host, room, guest, clock):
    busy(host, clock, 2.0)
    heard = await guest.post(f"/rooms/{room['id']}/windows/w/submissions", PAYLOAD)
    assert heard.data["elapsedMs"] == 0


async def test_what_arrived_before_the_end_is_accepted_after_it(host, room, guest, clock):
    clock.advance(9.9)
    busy(host, clock, 2.0)
    path = f"/rooms/{room['id']}/windows/w/submissions"
    in_time = await guest.post(path, PAYLOAD)
    assert in_time.data["elapsedMs"] == 9_900
    late = await guest.post(path, PAYLOAD)
    assert (late.status, late.code) == (409, "WINDOW_CLOSED")


async def test_a_head_that_comes_before_its_body_wins_no_time(host, room, guest, clock):
    body = orjson.dumps(PAYLOAD)
    headers = {
        "Authorization": f"Bearer {guest.token}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    path = f"/api/v1/rooms/{room['id']}/windows/w/submissions"
    async with guest.client.request(path, method="POST", headers=headers) as connection:
        await connection.send(body[:5])
        for _ in range(20):
            await asyncio.sleep(0)
        clock.advance(3.0)
        await connection.send(body[5:])
        await connection.send_complete()
    answer = await connection.as_response()
    heard = orjson.loads(await answer.get_data(as_text=False))
    assert heard["data"]["elapsedMs"] == 3_000
