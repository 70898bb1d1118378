"""Apps that mean ill, or are broken in odd ways: none holds its host up or stays for ever."""

import asyncio
import json
import os
import signal

from mymozhem.dispatch.outcome import FailureKind
from tests.support import isolated
from tests.support.isolated import den, is_alive
from tests.support.timing import until

#: a thread for which the interpreter would wait at its end
THREAD = "import threading; threading.Thread(target=threading.Event().wait).start()\n"

#: says which process it is, where a test can read it
TELL = "import os, pathlib; pathlib.Path({where!r}).write_text(str(os.getpid()))\n"

#: takes its socket away, and lives on
HIDE = "def do_hide():\n    os.unlink('app.sock')\n    return {}\n"


async def test_what_an_app_started_before_it_failed_to_load_does_not_keep_it_alive(tmp_path):
    where = tmp_path / "pid"
    head = TELL.format(where=str(where)) + THREAD + "raise ValueError('not today')"
    async with den(isolated.prober(tmp_path, head=head)) as host:
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.MISCONFIGURED
        assert "ValueError: not today" in host.status.last_end
        await until(lambda: not is_alive(int(where.read_text())))
        await until(lambda: "raise ValueError('not today')" in host.status.log.read_text())


async def test_an_app_that_says_it_cannot_be_loaded_and_lives_on_is_ended(tmp_path):
    where = tmp_path / "pid"
    head = TELL.format(where=str(where)) + (
        'import time; os.write(3, b\'{"problem": "so it says"}\\n\'); time.sleep(10_000)'
    )
    async with den(isolated.prober(tmp_path, head=head)) as host:
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.MISCONFIGURED
        await until(lambda: not is_alive(int(where.read_text())))


async def test_a_worker_that_lives_and_cannot_be_reached_is_replaced(tmp_path):
    async with den(isolated.prober(tmp_path, head=HIDE)) as host:
        first = (await host.reply())["pid"]
        await host.reply("hide")
        for _ in range(5):
            outcome = await host.ask()
            assert outcome.failure.kind is FailureKind.UNREACHABLE
        assert (await host.reply())["pid"] != first
        await until(lambda: not is_alive(first))


async def test_a_worker_whose_threads_all_hang_is_replaced_though_it_answers_at_once(code):
    async with den(code) as host:
        first = (await host.reply())["pid"]
        for _ in range(11):
            await asyncio.gather(*(host.ask("sleep-for-ever", budget_ms=50) for _ in range(3)))
            await host.ask()
        for _ in range(6):
            outcome = await host.ask()
        assert outcome.result.effects[0].data["pid"] != first
        await until(lambda: not is_alive(first))


async def test_who_never_stops_reporting_is_ended_and_the_host_goes_on(tmp_path):
    head = "import os\nwhile True:\n    os.write(3, b'{}\\n' * 10_000)"
    async with den(isolated.prober(tmp_path, head=head)) as host:
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.UNREACHABLE
        assert host.status.pid is None


async def test_a_child_that_holds_the_pipes_of_a_killed_supervisor_holds_nobody_up_and_ends(
    tmp_path,
):
    where = tmp_path / "child"
    head = (
        "import os, pathlib, time\n"
        "child = os.fork()\n"
        "if child == 0:\n    os.setsid(); time.sleep(10_000)\n"
        f"pathlib.Path({str(where)!r}).write_text(str(child))"
    )
    async with den(isolated.prober(tmp_path, head=head)) as host:
        first = (await host.reply())["pid"]
        child = int(where.read_text())
        os.kill(isolated.parent(first), signal.SIGKILL)
        await until(lambda: not is_alive(first))
        assert (await host.reply())["pid"] != first
        await until(lambda: not is_alive(child))


async def test_a_start_goes_on_when_nobody_waits_for_it_however_short_idle_is(tmp_path):
    slow = isolated.prober(tmp_path, head="import time; time.sleep(2.5)")
    async with den(slow, isolated_idle_seconds=1) as host:
        outcome = await host.ask(budget_ms=100)
        assert outcome.failure.kind is FailureKind.BUDGET_SPENT
        await until(lambda: host.status.last_end)
        assert host.status.last_end == "was ended by SIGTERM"  # idle, once it could be asked
        assert host.status.rests == 0


async def test_children_in_sessions_of_their_own_that_kill_the_supervisor_end_too(code, tmp_path):
    async with den(code) as host:
        outcome = await host.ask("kill-supervisor", where=str(tmp_path))
        assert outcome.failure is not None
        pids = [pid for told in tmp_path.iterdir() for pid in json.loads(told.read_text())]
        assert len(pids) >= 2
        await until(lambda: not any(map(is_alive, pids)))
