"""Isolated code in processes of its own: started on demand, shared, stopped, started again."""

import asyncio
import os
import signal

import pytest

from mymozhem.contract import DecidedBy
from mymozhem.dispatch.observers import CallObservers
from mymozhem.dispatch.outcome import FailureKind
from mymozhem.isolation.errors import NotStarted
from mymozhem.isolation.restart_backoff import LIVED_SECONDS
from mymozhem.testing import loaded
from tests.support import isolated
from tests.support.isolated import den, is_alive, is_there
from tests.support.timing import until


async def test_nothing_runs_before_it_is_asked_and_one_start_serves_all_who_ask(code):
    async with den(code) as host:
        assert host.workers.status() == ()
        replies = await asyncio.gather(*(host.reply() for _ in range(10)))
        assert {reply["pid"] for reply in replies} == {host.status.pid}
        assert (host.status.starts, host.status.running) == (1, 0)


async def test_two_versions_answer_at_the_same_moment_each_from_its_own_code(code, newer):
    async with den(code, newer) as host:
        asked = [host.reply(version=version) for version in ("1.0.0", "2.0.0") * 5]
        replies = await asyncio.gather(*asked)
        assert [reply["version"] for reply in replies] == ["1.0.0", "2.0.0"] * 5
        assert len({reply["pid"] for reply in replies}) == 2


async def test_its_answers_are_those_of_the_same_code_inside_the_host(code):
    names = {"VERSION": "1.0.0"}
    exec(isolated.PROBER.read_text(), names)
    said = {"text": "Ünïcödé \u2028", "number": 2**53 - 1, "list": [1.5, None, {"a": True}]}
    async with den(code) as host:
        far = await host.ask("echo", **said)
        host.apps.near = [loaded(isolated.Plain(names), "prober")]
        host.apps.isolated = []
        near = await host.ask("echo", **said)
    assert far.result == near.result
    assert far.result.effects[0].data == said


async def test_it_stops_when_nobody_asks_and_starts_again_when_somebody_does(code):
    async with den(code, isolated_idle_seconds=1) as host:
        first = (await host.reply())["pid"]
        seen = await host.reply("look-around")
        await until(lambda: host.status.pid is None)
        await until(lambda: not is_alive(first))
        await until(lambda: not is_there(seen))
        assert (await host.reply())["pid"] != first
        assert host.status.last_end == "was ended by SIGTERM"


async def test_it_does_not_stop_while_it_is_asked(code):
    async with den(code, isolated_idle_seconds=1) as host:
        assert (await host.reply("nap", seconds=1.5))["pid"] == host.status.pid
        assert host.status.starts == 1


async def test_closing_leaves_nothing_behind(code):
    async with den(code) as host:
        seen = await host.reply("look-around")
        pid = host.status.pid
        keeper = isolated.parent(pid)
    assert not is_alive(pid)
    assert not is_alive(keeper)
    assert not is_there(seen)


async def test_closing_while_it_starts_leaves_nothing_behind(code):
    async with den(code) as host:
        asked = asyncio.create_task(host.ask())
        await until(lambda: host.workers.status() and host.status.pid)
        pid = host.status.pid
        await host.workers.close()
        assert not is_alive(pid)
        outcome = await asked
        assert outcome.failure.kind is FailureKind.UNREACHABLE
        with pytest.raises(NotStarted, match="stopping"):
            async with host.workers.use(code):
                pass


async def test_who_leaves_does_not_end_the_start_for_others(code):
    async with den(code) as host:
        impatient = asyncio.create_task(host.ask())
        patient = asyncio.create_task(host.reply())
        await until(lambda: host.workers.status() and host.status.pid)
        impatient.cancel()
        assert (await patient)["version"] == "1.0.0"
        assert host.status.starts == 1


async def test_a_start_that_takes_too_long_for_one_call_is_ready_for_the_next(code):
    async with den(code) as host:
        outcome = await host.ask(budget_ms=100)
        assert outcome.failure.kind is FailureKind.BUDGET_SPENT
        assert outcome.decided_by is DecidedBy.NOBODY
        await host.reply()
        assert host.status.starts == 1


# ------------------------------------------------------------------------------------------ death


async def test_who_dies_of_a_call_is_asked_once_more_and_the_caller_sees_nothing(code, tmp_path):
    async with den(code) as host:
        first = (await host.reply())["pid"]
        second = (await host.reply("die", once=str(tmp_path / "once")))["pid"]
        assert second != first
        assert host.status.starts == 2
        assert host.status.last_end == "was ended by SIGKILL"


async def test_all_who_were_asking_are_answered_by_the_next_one(code):
    async with den(code) as host:
        first = (await host.reply())["pid"]
        asked = [asyncio.create_task(host.reply("nap", seconds=0.3)) for _ in range(5)]
        await until(lambda: host.status.running == 5)
        os.kill(first, signal.SIGKILL)
        pids = {reply["pid"] for reply in await asyncio.gather(*asked)}
        assert pids == {host.status.pid} != {first}
        assert host.status.starts == 2


async def test_a_killed_keeper_takes_its_worker_along(code):
    async with den(code) as host:
        first = (await host.reply())["pid"]
        keeper = isolated.parent(first)
        os.kill(keeper, signal.SIGKILL)
        await until(lambda: not is_alive(first))
        assert (await host.reply())["pid"] != first


async def test_a_call_that_kills_every_worker_is_given_up_and_then_nothing_starts_for_a_while(code):
    async with den(code) as host:
        outcome = await host.ask("exit")
        assert outcome.failure.kind is FailureKind.UNREACHABLE
        assert "ended during the call" in outcome.failure.message
        assert host.status.last_end == "ended with the status 3"
        assert host.status.starts == 2
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.PAUSED
        assert host.status.starts == 2
        await until(lambda: host.status.rests == 0)
        assert host.status.starts == 2  # only a call starts one
        await host.reply()


async def test_after_a_long_life_that_ended_in_order_a_death_is_the_first_again(code):
    async with den(code, isolated_idle_seconds=1) as host:
        await host.ask("exit")  # dies twice
        await until(lambda: host.status.rests == 0)
        async with host.workers.use(code) as worker:
            worker.began -= LIVED_SECONDS
        await until(lambda: host.status.last_end == "was ended by SIGTERM")
        first = (await host.reply())["pid"]
        os.kill(first, signal.SIGKILL)
        await until(lambda: host.status.last_end == "was ended by SIGKILL")
        assert host.status.rests == 0


# ------------------------------------------------------------------------------------ broken apps


@pytest.mark.parametrize(
    ("head", "kind", "says"),
    [
        ("import no_such_module", FailureKind.MISCONFIGURED, "No module named 'no_such_module'"),
        ("raise SystemExit(7)", FailureKind.MISCONFIGURED, "SystemExit"),
        ("import os; os._exit(5)", FailureKind.UNREACHABLE, "ended with the status 5"),
        ("bytearray(2**30)", FailureKind.MISCONFIGURED, "MemoryError"),
        (
            "import os\nos.write(3, b'garbage' * 5000 + b'\\n')\nos._exit(0)",
            FailureKind.UNREACHABLE,
            "ended with the status 0",
        ),
    ],
    ids=["missing", "exits", "is gone", "eats", "writes garbage"],
)
async def test_why_an_app_does_not_start_is_told(tmp_path, head, kind, says):
    async with den(isolated.prober(tmp_path, head=head)) as host:
        outcome = await host.ask()
        assert outcome.failure.kind is kind
        assert outcome.decided_by is DecidedBy.NOBODY
        assert says in host.status.last_end
        if kind is FailureKind.MISCONFIGURED:  # what an app raises is not for everybody
            says = "The app could not be loaded; the host's log says why."
        assert says in outcome.failure.message
        assert str(tmp_path) not in outcome.failure.message


async def test_an_app_that_hangs_on_import_is_given_up(tmp_path):
    hangs = isolated.prober(tmp_path, head="import time; time.sleep(10_000)")
    async with den(hangs, isolated_start_seconds=1) as host:
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.UNREACHABLE
        assert "not ready within 1 seconds" in outcome.failure.message


async def test_another_version_than_was_locked_is_not_served(code):
    wrong = isolated.IsolatedCode(
        code.app_id, code.manifest, code.distribution, "1.0.1", code.wheel_digest, code.folder
    )
    async with den(wrong) as host:
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.MISCONFIGURED
        assert "does not contain acme-prober 1.0.1" in host.status.last_end


async def test_an_environment_that_is_gone_is_a_failure_like_any_other(code, tmp_path):
    gone = isolated.IsolatedCode(
        code.app_id, code.manifest, code.distribution, "1.0.0", code.wheel_digest, tmp_path / "gone"
    )
    async with den(gone) as host:
        outcome = await host.ask()
        assert outcome.failure.kind is FailureKind.UNREACHABLE
        assert str(tmp_path) not in outcome.failure.message
        assert list(tmp_path.iterdir()) == []


async def test_who_holds_everything_up_misses_deadlines_and_is_replaced(code):
    async with den(code) as host:
        first = (await host.reply())["pid"]
        for _ in range(5):
            outcome = await host.ask("hold-everything", budget_ms=50)
            assert outcome.failure.kind in {FailureKind.BUDGET_SPENT, FailureKind.TIMEOUT}
        assert (await host.reply())["pid"] != first
        await until(lambda: not is_alive(first))


async def test_a_hang_that_somebody_listens_to_after_its_deadline_counts_as_well(code):
    class Sink:
        def late(self, answer):
            """Nothing comes."""

    async with den(code, observers=CallObservers(late=Sink())) as host:
        first = (await host.reply())["pid"]
        for _ in range(5):
            await host.ask("sleep-for-ever", budget_ms=50)
        assert (await host.reply())["pid"] != first


async def test_one_answer_in_between_lets_a_slow_worker_live(code):
    async with den(code) as host:
        first = (await host.reply())["pid"]
        for _ in range(2):
            for _ in range(4):
                await host.ask("nap", seconds=0.2, budget_ms=50)
            assert (await host.reply())["pid"] == first


async def test_memory_ends_at_the_limit_and_the_worker_goes_on(code):
    async with den(code) as host:
        pid = (await host.reply("eat", mb=16)) and host.status.pid
        outcome = await host.ask("eat", mb=600)
        assert outcome.failure.kind is FailureKind.BAD_STATUS
        assert (await host.reply())["pid"] == pid


async def test_a_flood_of_words_is_kept_to_a_few_megabytes_and_the_last_ones_are_there(tmp_path):
    code = isolated.prober(tmp_path)
    async with den(code) as host:
        await host.reply("flood", lines=6_000)
        log = host.status.log
    assert log.stat().st_size <= 4 * 1024 * 1024
    assert "5999 xxx" in log.read_text()
    assert "was ended by SIGTERM" in log.read_text().splitlines()[-1]


async def test_nonsense_in_every_pipe_and_socket_hurts_nobody_but_that_worker(code):
    async with den(code) as host:
        await host.ask("write-into-everything", budget_ms=3_000)
        await until(lambda: host.status.rests == 0)
        assert (await host.reply())["version"] == "1.0.0"


async def test_children_end_with_the_worker_wherever_they_went(code, tmp_path):
    async with den(code) as host:
        pids = (await host.reply("leave-children", where=str(tmp_path / "pids")))["pids"]
        pids.append((await host.reply("flee"))["pid"])
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))


async def test_children_end_when_the_worker_dies_by_itself(code, tmp_path):
    async with den(code) as host:
        pids = (await host.reply("leave-children", where=str(tmp_path / "pids")))["pids"]
        os.kill(host.status.pid, signal.SIGKILL)
        await until(lambda: not any(map(is_alive, pids)))
