"""An app server that hangs, floods or lies: people are answered, and the evening goes on.

A real host, real sockets, the machine's own clock; each way to break over a webhook.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update

from mymozhem.clock import Clock
from mymozhem.contract.fair import verify
from mymozhem.contract.fair.verification import Verdict as Verified
from mymozhem.dispatch.breakers.breaker import Key, Verdict
from mymozhem.registry.remote_apps import publish
from mymozhem.rooms.tables.timers import TimerRow
from tests.support.api_host import ApiHost, Caller, make_api_host
from tests.support.remote_manifest import manifest_of
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock
from tests.unit.outbound.hostile import Heard, Script, answer, drip, flood, hang, says, serving

#: what a person waits at most, and a little
SECONDS = 5.0 + 2.0

ELSEWHERE = "http://192.168.0.1:9/private"


def reply(data: object, *, outcome: str = "ok", call_id: str | None = None) -> Script:
    """Answer every call with this, under its own id or a wrong one."""

    async def script(heard: Heard, writer: asyncio.StreamWriter) -> None:
        asked = orjson.loads(heard.body)
        body = {
            "id": call_id or asked["id"],
            "contract": "1.0",
            "lock": asked["context"]["lock"],
            "outcome": outcome,
            "data": data,
        }
        writer.write(answer(orjson.dumps(body)))
        await writer.drain()

    return script


async def lie_about_winners(heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Prepare an honest draw, and name somebody who does not take part in it."""
    asked = orjson.loads(heard.body)
    if asked["hook"] == "prepare_draw":
        await reply({"algorithm": "app", "rule": "The host's cousin wins."})(heard, writer)
        return
    prize = asked["request"]["prizes"][0]["prizeId"]
    picks = [{"prizeId": prize, "participantId": "part_of_another_room"}]
    await reply({"picks": picks})(heard, writer)


async def break_the_line(_heard: Heard, writer: asyncio.StreamWriter) -> None:
    """Hang up without a word."""
    writer.close()


HOSTILE: dict[str, tuple[Script, str]] = {
    "hangs": (hang, "APP_TIMEOUT"),
    "drips": (drip(every=1.0), "APP_TIMEOUT"),
    "answers 500": (says(answer(status="500 Oops")), "APP_BAD_STATUS"),
    "answers HTML": (says(answer(b"<h1>Hello", kind="text/html")), "APP_BAD_RESULT"),
    "never stops": (flood, "APP_BAD_RESULT"),
    "points elsewhere": (says(answer(status="302 Found", Location=ELSEWHERE)), "APP_BAD_STATUS"),
    "answers another call": (reply({}, call_id="call_of_somebody_else"), "APP_BAD_RESULT"),
    "answers nonsense": (reply({"effects": [{"effect": "explode"}]}), "APP_BAD_RESULT"),
    "hangs up": (break_the_line, "APP_UNREACHABLE"),
    "knows no key": (says(answer(status="401 Unauthorized")), "APP_MISCONFIGURED"),
}


@dataclass
class Evening:
    """A host with a room of a remote app and one of an app inside, both under way."""

    host: ApiHost
    room: Any
    other: Any
    guest: Caller

    async def act(self, room: Any, action: str = "do", **payload: object) -> tuple[Any, float]:
        began = self.host.host.services.clock.monotonic()
        heard = await self.host.organizer.post(f"/rooms/{room['id']}/actions/{action}", payload)
        return heard, self.host.host.services.clock.monotonic() - began


@pytest.fixture
def clock() -> Clock:
    return LoadTolerantClock()


@pytest.fixture
async def host(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[ApiHost]:
    async with make_api_host(database_url, clock, tmp_path, allow_networks="127.0.0.0/8") as built:
        yield built


async def evening(host: ApiHost, url: str, **more: Any) -> Evening:
    """Register an app at an address, and begin an evening with it."""
    told = {"actions": {"do": {}}} | more
    await host.remote_app("raffle", baseUrl=url, **told)
    room = await host.start(appId="raffle")
    guest, _ = await host.guest(room)
    return Evening(host, room, await host.start(), guest)


@pytest.mark.parametrize("how", HOSTILE)
async def test_who_acts_is_told_in_time_and_nothing_is_applied(host, how):
    script, code = HOSTILE[how]
    async with serving(script) as server:
        party = await evening(host, server.url)
        before = (await host.organizer.get(f"/rooms/{party.room['id']}/state")).data["cursor"]
        acting = asyncio.create_task(party.act(party.room))
        await server.until(1)
        meanwhile, took = await party.act(party.other)
        assert meanwhile.status == 200
        assert took < 2.0
        heard, took = await acting
        assert (heard.status, heard.code) == (503, code)
        assert took < SECONDS
        after = (await host.organizer.get(f"/rooms/{party.room['id']}/state")).data["cursor"]
        assert after == before


async def test_after_five_failures_nobody_waits_and_the_app_is_left_alone(host):
    async with serving(says(answer(status="500 Oops"))) as server:
        party = await evening(host, server.url)
        for _ in range(5):
            await party.act(party.room)
        heard, took = await party.act(party.room)
        assert (heard.status, heard.code) == (503, "APP_PAUSED")
        assert took < 1.0
        assert len(server.heard) == 5


@pytest.mark.parametrize("how", ["hangs", "answers 500", "answers nonsense"])
async def test_the_literal_of_the_manifest_stands_in(host, how):
    script, _ = HOSTILE[how]
    literal = {"effects": [{"effect": "reply", "data": "later"}]}
    policies = {"actions": {"timeout": 2_000, "onFailure": "fallback", "fallback": literal}}
    async with serving(script) as server:
        party = await evening(host, server.url, policies=policies)
        heard, took = await party.act(party.room)
        assert (heard.status, heard.data["reply"]) == (200, "later")
        assert took < SECONDS
        said = await host.organizer.get(f"/rooms/{party.room['id']}/events?limit=100")
        (told,) = (each for each in said.data if each["type"] == "app:fallback_used")
        assert told["payload"]["decidedBy"] == "fallback"


async def test_who_names_a_stranger_as_winner_is_not_followed(host):
    policies = {"winnerSelection": {"timeout": 2_000}}
    async with serving(lie_about_winners) as server:
        party = await evening(
            host,
            server.url,
            capabilities=["winnerSelection"],
            webhooks={"winnerSelection": "/draw"},
            policies=policies,
            actions={},
        )
        path = f"/rooms/{party.room['id']}"
        prize = (await host.organizer.post(f"{path}/prizes", {"name": "Car", "quantity": 1})).data[
            "id"
        ]
        made = await host.organizer.post(
            f"{path}/draws", {"prizes": [{"prizeId": prize, "count": 1}]}
        )
        assert made.status == 202, made.raw
        while await host.work():
            pass
        draw = (await host.organizer.get(f"{path}/draws/{made.data['id']}")).data
        assert draw["status"] == "COMMITTED", draw
        await host.organizer.post(f"{path}/draws/{made.data['id']}/run", {})
        while await host.work():
            pass
        winners = (await host.organizer.get(f"{path}/winners")).data
        assert [each["participantId"] for each in winners]
        record = (await host.nobody.get(f"{path}/draws/{made.data['id']}/record")).data
        assert verify(record).verdict is Verified.VERIFIED
        assert [pick["participantId"] for pick in record["picks"]] == [
            each["participantId"] for each in winners
        ]


class Moody:
    """Answers as `mood` says, which a test may change."""

    def __init__(self, mood: Script) -> None:
        self.mood = mood

    async def __call__(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        await self.mood(heard, writer)


async def test_an_app_that_says_it_is_gone_is_asked_no_more(host):
    async with serving(says(answer(status="410 Gone"))) as server:
        party = await evening(host, server.url)
        heard, _ = await party.act(party.room)
        assert heard.code == "APP_GONE"
        async with asyncio.timeout(HANG_TIMEOUT):
            while not host.host.services.catalog.is_stopped("raffle"):  # noqa: ASYNC110  set by a task of the host's
                await asyncio.sleep(0.01)
        heard, _ = await party.act(party.room)
        assert (heard.status, heard.code) == (503, "APP_STOPPED")
        assert len(server.heard) == 1


async def park(host: ApiHost) -> None:
    """Let every timer that waits have failed so often that it is parked for ten minutes."""
    async with host.database.write() as unit:
        await unit.session.execute(
            update(TimerRow).values(attempts=9, next_at=unit.now + timedelta(minutes=10))
        )


async def test_what_waits_for_an_app_goes_on_as_soon_as_it_is_asked_again(host):
    timer = {"effects": [{"effect": "schedule", "name": "later", "afterMs": 1}]}
    moody = Moody(reply(timer))
    webhooks = {"actions": "/hooks", "timers": "/hooks"}
    async with serving(moody) as server:
        party = await evening(
            host, server.url, capabilities=["actions", "timers"], webhooks=webhooks
        )
        assert (await party.act(party.room))[0].status == 200
        moody.mood = says(answer(status="500 Oops"))
        await asyncio.sleep(0.05)
        await host.work()
        asked = len(server.heard)
        await park(host)
        assert await host.work() == 0
        key = Key("raffle", "1.0.0", "timers")
        moody.mood = reply({"effects": []})
        for _ in range(4):
            permit = await host.host.services.breakers.admit(key)
            permit.report(Verdict.FAILURE, "APP_BAD_STATUS")
        admin = await host.person("admin@example.com", is_admin=True)
        await admin.post(
            "/admin/breakers/reset",
            {"appId": "raffle", "version": "1.0.0", "capability": "timers"},
        )
        async with asyncio.timeout(HANG_TIMEOUT):
            while not await host.work():  # noqa: ASYNC110  made due by a task of the host's
                await asyncio.sleep(0.01)
        assert len(server.heard) == asked + 1
        first, again = (orjson.loads(each.body) for each in server.heard[-2:])
        assert (again["id"], again["attempt"]) == (first["id"], 2)
        assert again["request"] == first["request"]


async def test_what_waits_for_a_stopped_app_goes_on_as_soon_as_it_is_started(host):
    timer = {"effects": [{"effect": "schedule", "name": "later", "afterMs": 1}]}
    moody = Moody(reply(timer))
    webhooks = {"actions": "/hooks", "timers": "/hooks"}
    async with serving(moody) as server:
        party = await evening(
            host, server.url, capabilities=["actions", "timers"], webhooks=webhooks
        )
        assert (await party.act(party.room))[0].status == 200
        admin = await host.person("admin@example.com", is_admin=True)
        await admin.post("/admin/apps/raffle/stop", {"reason": "it answers nonsense"})
        await asyncio.sleep(0.05)
        await host.work()
        assert len(server.heard) == 1
        await park(host)
        assert await host.work() == 0
        moody.mood = reply({"effects": []})
        await admin.post("/admin/apps/raffle/start")
        async with asyncio.timeout(HANG_TIMEOUT):
            while not await host.work():  # noqa: ASYNC110  made due by a task of the host's
                await asyncio.sleep(0.01)
        assert len(server.heard) == 2


async def test_an_old_address_that_is_gone_stops_nobody_else(host):
    async with serving(says(answer(status="410 Gone"))) as old, serving(reply({})) as new:
        party = await evening(host, old.url)
        async with host.database.write() as unit:
            await publish(unit, "raffle", manifest_of("1.1.0", baseUrl=new.url), consent=True)
        await host.host.services.catalog.refresh()
        later = await host.start(appId="raffle")
        heard, _ = await party.act(party.room)
        assert heard.code == "APP_GONE"
        heard, _ = await party.act(later)
        assert heard.status == 200, heard.raw
        assert not host.host.services.catalog.is_stopped("raffle")
