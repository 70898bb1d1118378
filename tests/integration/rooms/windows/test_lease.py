"""Work that was taken twice has its effects once: by whoever holds it when it is written."""

import asyncio
from contextvars import Context
from datetime import timedelta

import pytest

from mymozhem.contract import CloseWindowRequest, hookimpl
from mymozhem.rooms.core.transaction import write_room
from mymozhem.rooms.jobs import leases, windows
from mymozhem.rooms.jobs.runner import LEASE, Jobs
from mymozhem.rooms.windows import commands, rejudge
from mymozhem.rooms.windows.queries import find_window
from mymozhem.rooms.windows.settle import settle_without_app
from tests.support.apps.window_app import RULES, Desk, opening
from tests.support.host import make_services

pytestmark = pytest.mark.both_engines

SAID = {"effect": "emit", "type": "desk:said", "payload": {}}


class Thinker(Desk):
    """A desk that does something else before it answers."""

    @hookimpl
    async def close_window(self, request: CloseWindowRequest):
        self.closed.append(request)
        return await self.closing(request)


@pytest.fixture
def app():
    return Thinker()


@pytest.fixture
async def second(evening, database, tmp_path):
    """Another process, whose app gives nine points to everybody."""
    desk = Desk()
    desk.closing = nine
    services = await make_services(database, evening.clock, tmp_path, {"desk": desk})
    yield services
    await services.dispatcher.close()


def nine(asked):
    ids = list(asked.submissions.id)
    verdicts = {"submissionId": ids, "verdict": ["none"] * len(ids), "points": [9] * len(ids)}
    return {"effects": [SAID], "verdicts": verdicts}


async def test_what_a_late_worker_writes_is_dropped(evening, second):
    async def oversleep(asked):
        evening.clock.advance(LEASE + timedelta(seconds=1))
        await asyncio.create_task(Jobs(second).run_due())
        return {"effects": [SAID, SAID]}

    evening.app.closing = oversleep
    await evening.do(opening(rules=RULES, points=1))
    await evening.send(0, {"n": 4})
    await evening.later(10_000)
    assert await evening.points() == [9, 0, 0]
    assert await evening.told("window:closed", "desk:said") == ["window:closed", "desk:said"]
    assert ("settled", "w") not in evening.app.told
    await evening.check_log()


async def test_a_worker_that_died_is_replaced_when_its_lease_ends_and_not_before(evening, second):
    async def nothing(_):
        return None

    evening.app.closing = nothing
    await evening.do(opening())
    await evening.send(0, {"n": 1})
    evening.clock.advance(10)
    taken = await leases.take(second.database, span=LEASE, limit=8)
    assert len(taken) == 1
    assert await evening.jobs.run_due() == 0
    evening.clock.advance(LEASE)
    assert await evening.jobs.run_due() == 0
    evening.clock.advance(0.001)
    await evening.jobs.run_due()
    await windows.step(second, taken[0])  # it was not dead after all
    assert await evening.told() == ["window:opened", "window:tallying", "window:closed"]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("results", ["onClose", "onReveal"])
async def test_a_window_settled_while_a_worker_takes_it_is_settled_once(evening, results):
    asked, go = asyncio.Event(), asyncio.Event()

    async def slow(_):
        asked.set()
        await go.wait()
        return {"effects": [SAID]}

    evening.app.closing = slow
    services = evening.house.services
    await evening.do(opening(rules=RULES, points=1, results=results))
    await evening.send(0, {"n": 4})
    await evening.control(commands.close)
    async with write_room(services, evening.room.id) as writer:
        window = await find_window(writer.session, evening.room.id, "w")
        work = asyncio.create_task(evening.jobs.run_due(), context=Context())
        await asked.wait()
        await settle_without_app(writer, window)
    go.set()
    await work
    await evening.jobs.run_due()
    assert await evening.points() == [1 if results == "onClose" else 0, 0, 0]
    assert await evening.told("window:closed", "desk:said", "window:revealed") == ["window:closed"]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.parametrize("act", [settle_without_app, rejudge.void])
async def test_a_worker_that_took_a_window_as_it_changed_leaves_it_as_it_is(evening, act):
    services = evening.house.services
    await evening.do(opening(rules=RULES, points=1, results="onReveal"))
    await evening.send(0, {"n": 4})
    await evening.control(commands.close)
    async with write_room(services, evening.room.id) as writer:
        window = await find_window(writer.session, evening.room.id, "w")
        take = leases.take(services.database, span=LEASE, limit=8)
        (work,) = await asyncio.create_task(take, context=Context())
        await act(writer, window)
    before = await evening.window()
    await windows.step(services, work)
    after = await evening.window()
    assert (after.status, after.due_at) == (before.status, before.due_at)
    assert await evening.told("window:revealed", "standings:changed") == []
