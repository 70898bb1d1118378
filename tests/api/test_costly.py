"""Costly requests: for people with an account, a few at a time, apart from draws and joins."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from mymozhem.api.costly import COSTLY
from mymozhem.api.v1 import ROUTES
from mymozhem.concurrency.costly_pool import LARGE, CostlyPool, Places
from mymozhem.errors import Unavailable
from tests.support.api_host import ApiHost
from tests.support.remote_manifest import remote_manifest
from tests.support.timing import HANG_TIMEOUT, until

VALIDATE = "/apps/validate-manifest"


class Held:
    """Computations of a host that wait until the test releases them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.release = asyncio.Event()
        self.started = 0
        self.threads: set[str] = set()
        run = CostlyPool.run

        async def held(pool: CostlyPool, work: Callable[[], Any], *, size: int = 0) -> Any:
            self.started += 1
            await self.release.wait()
            return await run(pool, lambda: self._noted(work), size=0)

        monkeypatch.setattr(CostlyPool, "run", held)

    def _noted(self, work: Callable[[], Any]) -> Any:
        self.threads.add(threading.current_thread().name)
        return work()


def test_every_row_of_the_table_has_a_route():
    assert set(COSTLY) <= {route.endpoint for route in ROUTES}


async def test_guests_cannot_request_computations(host: ApiHost):
    guest, _ = await host.guest(await host.start())
    heard = [
        await guest.post(VALIDATE, {}),
        await guest.get("/apps/stall/diff?from=1.0.0&to=1.0.0"),
        await host.nobody.post(VALIDATE, {}),
    ]
    assert [(each.status, each.code) for each in heard] == [
        (403, "FORBIDDEN"), (403, "FORBIDDEN"), (401, "UNAUTHENTICATED"),
    ]  # fmt: skip


async def test_a_dozen_callers_take_no_more_than_the_places(host: ApiHost, monkeypatch):
    people = [await host.person(f"person{number}@example.com") for number in range(12)]
    held = Held(monkeypatch)
    asked = [asyncio.ensure_future(each.post(VALIDATE, {})) for each in people]
    await until(lambda: held.started == 8 and sum(each.done() for each in asked) == 4)
    refused = [each.result() for each in asked if each.done()]
    assert {(each.status, each.code, each.headers["Retry-After"]) for each in refused} == {
        (503, "BUSY", "5")
    }
    room = await host.start()  # all else goes on
    await host.guest(room)
    held.release.set()
    assert sorted(each.status for each in await asyncio.gather(*asked)) == [200] * 8 + [503] * 4
    assert {name.rpartition("_")[0] for name in held.threads} == {"costly"}
    assert (await people[0].post(VALIDATE, {})).status == 200


async def test_one_caller_takes_two_places(host: ApiHost, monkeypatch):
    other = await host.person("other@example.com")
    held = Held(monkeypatch)
    asked = [asyncio.ensure_future(host.organizer.post(VALIDATE, {})) for _ in range(5)]
    await until(lambda: sum(each.done() for each in asked) == 3)
    asked.append(asyncio.ensure_future(other.post(VALIDATE, {})))
    held.release.set()
    assert sorted(each.status for each in await asyncio.gather(*asked)) == [200] * 3 + [503] * 3


async def test_draws_and_joins_do_not_wait_for_costly_computations(host: ApiHost):
    """The thread of costly computations is taken, and a whole draw runs meanwhile."""
    room = await host.start()
    await host.guest(room)
    release = threading.Event()
    costly = asyncio.ensure_future(host.host.services.costly.run(release.wait))
    prize = await host.organizer.post(f"/rooms/{room['id']}/prizes", {"name": "Car"})
    body = {"prizes": [{"prizeId": prize.data["id"], "count": 1}], "run": True}
    draw = await host.organizer.post(f"/rooms/{room['id']}/draws", body)
    await host.work()
    done = await host.organizer.get(f"/rooms/{room['id']}/draws/{draw.data['id']}")
    assert len(done.data["picks"]) == 1
    await host.guest(room, "Bob")
    release.set()
    assert await costly


@pytest.mark.parametrize(
    ("method", "path", "raw"),
    [
        ("GET", "/rooms/{id}/export", b""),
        ("GET", "/rooms/{id}/standings?format=csv", b""),
        ("GET", "/users/me/export", b""),
        ("POST", "/rooms/{id}/participants/import", b'{"people":[{"name":"Bob"}]}'),
        ("POST", "/rooms/{id}/import/live", b'{"format":"number","text":"five"}'),
    ],
)
async def test_transfers_are_refused_while_all_places_are_taken(host: ApiHost, method, path, raw):
    room = await host.start()
    place = path.format(id=room["id"])
    scope: dict[str, Any] = {}
    for number in range(6):
        _take(host, f"usr_{number}", scope)
    heard = await host.organizer.ask(method, place, raw=raw)
    assert (heard.status, heard.code) == (503, "BUSY")
    for release in scope["mymozhem.places"]:
        release()
    for _ in range(8):  # every request gives its place back
        assert (await host.organizer.ask(method, place, raw=raw)).status in {200, 201, 409}
    assert (await host.organizer.get(f"/rooms/{room['id']}/standings")).status == 200


def _take(host: ApiHost, user_id: str, scope: dict[str, Any]) -> None:
    kind = COSTLY["GET /users/me/export"]
    principal: Any = SimpleNamespace(subject=user_id)
    host.host.costly.hold(kind, SimpleNamespace(scope=scope), principal)  # type: ignore[arg-type]


async def test_guests_share_the_places_of_one_caller(host: ApiHost):
    guest, _ = await host.guest(await host.start())
    scope: dict[str, Any] = {}
    for _ in range(2):
        _take(host, "guests", scope)
    assert (await guest.get("/users/me/export")).code == "BUSY"
    assert (await host.organizer.get("/users/me/export")).status == 200


async def test_a_large_manifest_is_checked_and_compared_in_the_child_process(host: ApiHost):
    admin = await host.person("admin@example.com", is_admin=True)
    names = {f"field{number}": {"type": "string", "default": "x" * 40} for number in range(300)}
    settings = {"type": "object", "additionalProperties": False, "properties": names}
    first = remote_manifest("1.0.0", settings=settings)
    assert len(orjson.dumps(first)) > LARGE
    assert (await admin.post(VALIDATE, first)).data["valid"]
    assert (await admin.post(VALIDATE, first | {"meta": {}})).data["problems"]
    assert (await admin.post("/apps", {"appId": "raffle", "manifest": first})).status == 201
    second = remote_manifest("1.0.1", settings=settings)
    published = await admin.patch("/apps/raffle", {"manifest": second})
    assert published.status == 200, published.raw
    diff = await admin.get("/apps/raffle/diff?from=1.0.0&to=1.0.1")
    assert diff.data["sufficient"], diff.raw
    broken = await admin.patch("/apps/raffle", {"manifest": first | {"meta": {}}})
    assert (broken.status, broken.code) == (422, "MANIFEST_INVALID")


async def test_the_description_is_made_once_for_all_readers(host: ApiHost, monkeypatch):
    made = []

    async def noted(work: Callable[[], Any], *args: Any) -> Any:
        made.append(work)
        return await asyncio.get_running_loop().run_in_executor(None, work, *args)

    monkeypatch.setattr(asyncio, "to_thread", noted)
    for path in ("//openapi.json", "//docs"):
        before = len(made)
        heard = await asyncio.gather(*(host.nobody.get(path) for _ in range(5)))
        assert {each.status for each in heard} == {200}
        assert len({each.raw for each in heard}) == 1
        assert len(made) - before == 1


def test_places_that_are_released_can_be_taken_again():
    places = Places(most=2, per_caller=1)
    release = places.take("a")
    with pytest.raises(Unavailable):
        places.take("a")
    places.take("b")
    with pytest.raises(Unavailable):
        places.take("c")
    release()
    places.take("c")


async def test_a_child_process_that_is_killed_is_replaced():
    pool = CostlyPool()
    with pytest.raises(Unavailable) as ended:
        await pool.run(_end, size=LARGE)
    assert ended.value.code == "COSTLY_PROCESS_ENDED"
    assert await pool.run(_nice, size=LARGE) >= 10
    pool.close()


def _end() -> None:

    os._exit(1)


def _nice() -> int:

    return os.nice(0)


def test_a_process_ends_while_its_child_computes():
    """The child is killed: an exit waits for what runs in a pool."""
    script = (
        "import asyncio, time; from functools import partial\n"
        "from mymozhem.concurrency.costly_pool import LARGE, CostlyPool\n"
        "from mymozhem.concurrency.compute_pool import ComputePool\n"
        "async def main():\n"
        "    costly, draws = CostlyPool(), ComputePool()\n"
        "    await costly.run(time.time, size=LARGE)\n"
        "    await draws.run(time.time, size=20_000)\n"
        "    work = partial(time.sleep, 100_000)\n"
        "    tasks = [asyncio.ensure_future(costly.run(work, size=LARGE)),\n"
        "             asyncio.ensure_future(draws.run(work, size=20_000))]\n"
        "    await asyncio.sleep(0.1)\n"
        "    queued = [asyncio.ensure_future(costly.run(work, size=LARGE)) for _ in range(5)]\n"
        "    await asyncio.sleep(0.1)\n"
        "    for each in queued: each.cancel()\n"
        "    await asyncio.sleep(0.1)\n"
        "    costly.close(); draws.close()\n"
        "    found = await asyncio.gather(*tasks, return_exceptions=True)\n"
        "    print([each.code for each in found])\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, timeout=HANG_TIMEOUT, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == "['COSTLY_PROCESS_ENDED', 'COMPUTE_PROCESS_ENDED']\n"
