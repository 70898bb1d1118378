"""Killed workers and killed hosts: a draw has one result, and no process is left behind."""

import asyncio
import json
import os
import random
import signal
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select

from mymozhem.contract import PrizeCount, fair
from mymozhem.contract.fair.verification import Verdict
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.draws.commands import DrawRequest
from mymozhem.rooms.draws.record import record
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.prizes.manage import NewPrize, add_prize
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.events import RoomEventRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow
from tests.faults import worker_host
from tests.faults.kills import QUANTITY, ROUNDS, WINS
from tests.support import isolated
from tests.support.forked_process import fork
from tests.support.isolated import is_alive
from tests.support.isolated_host import isolated_house
from tests.support.timing import HANG_TIMEOUT, until


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    return isolated.prober(tmp_path_factory.mktemp("isolated"))


# ------------------------------------------------------------------------------------- the worker


class Evening:
    """A room of an isolated app, whose draws are prepared and decided by the app, each slowly."""

    def __init__(self, database, folder, code):
        self._opened = database, folder, code
        self.draws = []

    @asynccontextmanager
    async def host(self):
        """Go on with a host that has just been started."""
        async with isolated_house(*self._opened) as (host, workers):
            self.services, self.workers = host.services, workers
            if not self.draws:
                self.room = await host.start("prober")
                await host.guests(self.room, 5)
            yield

    async def warm(self):
        """Have a worker that can be asked at once."""
        async with self.workers.use(self._opened[-1]):
            pass

    async def ask(self):
        async with room_transaction(self.services, self.room.id) as writer:
            prize = await add_prize(writer, NewPrize("Bicycle", quantity=QUANTITY))
            prizes = (PrizeCount(prize_id=prize.id, count=WINS),)
            count = len(self.draws)
            key = f"slow{count}{'own' if count % 2 else ''}"
            wish = DrawRequest(prizes=prizes, run=True, key=key)
            self.draws.append((await commands.request(writer, wish)).id)

    async def finish(self):
        """Do all that is due; an organizer tries again what is held."""
        async with asyncio.timeout(HANG_TIMEOUT):
            await Jobs(self.services).run_due()
        draw = await self.get(self.draws[-1])
        if draw.held_code is not None:
            async with room_transaction(self.services, self.room.id) as writer:
                held = await writer.session.get_one(DrawRow, draw.id)
                await commands.retry(writer, held, platform=False)
            await until(lambda: self.workers.status()[0].rests == 0)
            await self.finish()

    async def get(self, draw_id):
        async with self.services.database.read() as session:
            return await session.get_one(DrawRow, draw_id)

    async def kill_at(self, *moments):
        """Kill whichever worker there is so many seconds after the last one was killed."""
        pids = []
        for seconds in moments:
            await asyncio.sleep(seconds)
            pid = self.workers.status()[0].pid if self.workers.status() else None
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    pids.append(pid)
        return pids

    async def check(self):
        """Each draw has one result, which its record tells."""
        async with self.services.database.read() as session:
            assert await session.scalar(select(func.count()).select_from(WinnerRow)) == WINS * len(
                self.draws
            )
            left = (await session.scalars(select(PrizeRow.quantity_remaining))).all()
            assert left == [QUANTITY - WINS] * len(self.draws)
            events = (await session.scalars(select(RoomEventRow.type))).all()
        for kind in ("draw:committed", "draw:revealed"):
            assert events.count(kind) == len(self.draws)
        for number, draw_id in enumerate(self.draws):
            assert (await self.get(draw_id)).status == "REVEALED"
            document = json.loads(await record(self.services, self.room.id, draw_id))
            own = document["rule"]["algorithm"] == "app"
            assert own == bool(number % 2)
            verdict = fair.verify(document).verdict
            # Where the app did not decide, the rule did, as it said it would: by the host's own.
            allowed = {Verdict.VERIFIED, Verdict.NOT_VERIFIABLE} if own else {Verdict.VERIFIED}
            assert verdict in allowed


@pytest.fixture
def evening(database, tmp_path, code):
    return Evening(database, tmp_path, code)


async def test_a_worker_killed_in_the_middle_of_a_draw_costs_no_draw_and_none_is_drawn_twice(
    evening,
):
    killed = []
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        async with evening.host():
            if seed % 4:  # else it is killed while it starts
                await evening.warm()
            await evening.ask()
            moments = [chance.uniform(0.0, 0.6) for _ in range(chance.randint(1, 3))]
            kills = asyncio.create_task(evening.kill_at(*moments))
            await evening.finish()
            killed += await kills
    async with evening.host():
        await evening.ask()
        await evening.finish()
        await evening.check()
    assert len(set(killed)) >= ROUNDS // 2


# --------------------------------------------------------------------------------------- the host


@pytest.fixture
async def start():
    """Start hosts in processes of their own, each with a worker that was asked something."""
    started = []

    async def start(code, action, where):
        process = await fork(worker_host.main, code.folder, action, str(where))
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        await process.wait()


ENDS = {
    "is idle": ("version", signal.SIGKILL),
    "is asked": ("sleep-for-ever", signal.SIGKILL),
    "lets no other thread run": ("hold-everything", signal.SIGKILL),
    "has children": ("leave-children", signal.SIGKILL),
    "has a child that fills its folder": ("make-files", signal.SIGKILL),
    "stops in order": ("leave-children", signal.SIGTERM),
}


@pytest.mark.parametrize("how", ENDS)
async def test_no_process_and_no_folder_outlives_the_host_when_its_worker(
    how, start, code, tmp_path
):
    action, number = ENDS[how]
    host = await start(code, action, tmp_path / "pids")
    told = json.loads(await host.stdout.readline())
    pids = [told["pid"], isolated.parent(told["pid"])]
    if action in {"leave-children", "make-files"}:
        pids += json.loads((tmp_path / "pids").read_text())
    assert all(map(is_alive, pids))
    assert isolated.is_there(told)
    host.send_signal(number)
    await host.wait()
    await until(lambda: not any(map(is_alive, pids)))
    await until(lambda: not isolated.is_there(told))


async def test_a_host_killed_while_its_worker_starts_leaves_none_behind(start, tmp_path):
    code = isolated.prober(tmp_path, head="import time; time.sleep(10_000)")
    host = await start(code, "version", tmp_path / "pids")
    await until(lambda: any(_workers_of(host.pid)))
    pids = _workers_of(host.pid)
    host.kill()
    await host.wait()
    await until(lambda: not any(map(is_alive, pids)))


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_a_host_killed_at_any_moment_leaves_none_behind(seed, start, code, tmp_path):
    host = await start(code, "leave-children", tmp_path / "pids")
    await until(lambda: any(_workers_of(host.pid)))
    await asyncio.sleep(random.Random(seed).uniform(0.0, 1.5))
    pids = _workers_of(host.pid)
    host.kill()
    await host.wait()
    await until(lambda: not any(map(is_alive, pids)))


def _workers_of(pid: int) -> list[int]:
    """Return the processes below another one."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if isolated.parent(int(each.name)) == pid:
                found += [int(each.name), *_workers_of(int(each.name))]
    return found
