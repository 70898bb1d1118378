"""Work that was taken twice has its effects once: by whoever holds it when it is written."""

import asyncio
from contextvars import Context
from datetime import timedelta

import pytest

from mymozhem.contract import CloseWindowRequest, hookimpl
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.jobs import leases, windows
from mymozhem.rooms.jobs.runner import LEASE, Jobs
from mymozhem.rooms.windows import commands, rejudge
from mymozhem.rooms.windows.queries import find_window
from mymozhem.rooms.windows.settle import settle_without_app
from tests.support.apps.window_app import RULES, WindowApp, opening
from tests.support.host import make_services

pytestmark = pytest.mark.both_engines

SAID = {"effect": "emit", "type": "desk:said", "payload": {}}


class Thinker(WindowApp):
    """A desk that does something else before it answers."""

    @hookimpl
    async def close_window(self, request: CloseWindowRequest):
        self.closed.append(request)
        return await self.closing(request)


@pytest.fixture
def app():
    return Thinker()


@pytest.fixture
async def second(window_room, database, tmp_path):
    """Another process, whose app gives nine points to everybody."""
    desk = WindowApp()
    desk.closing = nine
    services = await make_services(database, window_room.clock, tmp_path, {"desk": desk})
    yield services
    await services.dispatcher.close()


def nine(asked):
    ids = list(asked.submissions.id)
    verdicts = {"submissionId": ids, "verdict": ["none"] * len(ids), "points": [9] * len(ids)}
    return {"effects": [SAID], "verdicts": verdicts}


async def test_what_a_late_worker_writes_is_dropped(window_room, second):
    async def oversleep(asked):
        window_room.clock.advance(LEASE + timedelta(seconds=1))
        await asyncio.create_task(Jobs(second).run_due())
        return {"effects": [SAID, SAID]}

    window_room.app.closing = oversleep
    await window_room.do(opening(rules=RULES, points=1))
    await window_room.send(0, {"n": 4})
    await window_room.later(10_000)
    assert await window_room.points() == [9, 0, 0]
    assert await window_room.told("window:closed", "desk:said") == ["window:closed", "desk:said"]
    assert ("settled", "w") not in window_room.app.told
    await window_room.check_log()


async def test_a_worker_that_died_is_replaced_when_its_lease_ends_and_not_before(
    window_room, second
):
    async def nothing(_):
        return None

    window_room.app.closing = nothing
    await window_room.do(opening())
    await window_room.send(0, {"n": 1})
    window_room.clock.advance(10)
    taken = await leases.acquire(second.database, span=LEASE, limit=8)
    assert len(taken) == 1
    assert await window_room.jobs.run_due() == 0
    window_room.clock.advance(LEASE)
    assert await window_room.jobs.run_due() == 0
    window_room.clock.advance(0.001)
    await window_room.jobs.run_due()
    await windows.step(second, taken[0])  # it was not dead after all
    assert await window_room.told() == ["window:opened", "window:tallying", "window:closed"]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("results", ["onClose", "onReveal"])
async def test_a_window_settled_while_a_worker_takes_it_is_settled_once(window_room, results):
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(_):
        asked.set()
        await go.wait()
        return {"effects": [SAID]}

    window_room.app.closing = slow
    services = window_room.host.services
    await window_room.do(opening(rules=RULES, points=1, results=results))
    await window_room.send(0, {"n": 4})
    await window_room.control(commands.close)
    async with room_transaction(services, window_room.room.id) as transaction:
        window = await find_window(transaction.session, window_room.room.id, "w")
        work = asyncio.create_task(window_room.jobs.run_due(), context=Context())
        await asked.wait()
        await settle_without_app(transaction, window)
    go.set()
    await work
    await window_room.jobs.run_due()
    assert await window_room.points() == [1 if results == "onClose" else 0, 0, 0]
    assert await window_room.told("window:closed", "desk:said", "window:revealed") == [
        "window:closed"
    ]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("act", [settle_without_app, rejudge.void])
async def test_a_worker_that_took_a_window_as_it_changed_leaves_it_as_it_is(window_room, act):
    services = window_room.host.services
    await window_room.do(opening(rules=RULES, points=1, results="onReveal"))
    await window_room.send(0, {"n": 4})
    await window_room.control(commands.close)
    async with room_transaction(services, window_room.room.id) as transaction:
        window = await find_window(transaction.session, window_room.room.id, "w")
        take = leases.acquire(services.database, span=LEASE, limit=8)
        (work,) = await asyncio.create_task(take, context=Context())
        await act(transaction, window)
    before = await window_room.window()
    await windows.step(services, work)
    after = await window_room.window()
    assert (after.status, after.due_at) == (before.status, before.due_at)
    assert await window_room.told("window:revealed", "standings:changed") == []
