"""Breakers of two processes over one database: one opening, one trial, one closing."""

import asyncio
from contextvars import Context
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from structlog.testing import capture_logs

from mymozhem.clock import HeldClock
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch.breakers.breaker import BreakerStatus, Key, Verdict
from mymozhem.dispatch.tables import BreakerOpeningRow
from tests.integration.dispatch.breaker_hosts import KEY, Process, exchange, make_process
from tests.support.servers.cuttable_proxy import CuttableProxy
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock, until

pytestmark = pytest.mark.both_engines

only_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def first(database, clock) -> Process:
    return make_process(database, clock)


@pytest.fixture
def second(database, clock) -> Process:
    return make_process(database, clock)


async def rows(database):
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(BreakerOpeningRow))


async def test_an_opening_is_adopted_by_the_others_with_its_end_and_its_reason(first, second):
    heard = []
    second.breakers.listen(type("Ear", (), {"on_change": lambda _, change: heard.append(change)})())
    await first.fail()
    await exchange(first, second)
    assert await second.breakers.admit(KEY) is None
    assert second.breakers.snapshot() == first.breakers.snapshot()
    assert second.breakers.view(KEY).code == "APP_TIMEOUT"
    assert [(change.state, change.adopted) for change in heard] == [(BreakerStatus.OPEN, True)]


async def test_of_all_calls_in_all_processes_exactly_one_is_the_trial(first, second, clock):
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    for _ in range(3):
        here, there = await asyncio.gather(first.rush(), second.rush())
        [trial] = [*here, *there]
        trial.report(Verdict.SUCCESS)
        await exchange(first, second)
    assert (first.state, second.state) == (BreakerStatus.CLOSED, BreakerStatus.CLOSED)
    assert len(await first.rush()) == len(await second.rush()) == 100


async def test_successes_of_several_processes_add_up(first, second, clock, database):
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    for process in (first, second, first):
        await process.tell(Verdict.SUCCESS)
        await exchange(first, second)
    assert (first.state, second.state) == (BreakerStatus.CLOSED, BreakerStatus.CLOSED)
    assert await rows(database) == 0


async def test_the_process_of_the_first_trial_need_not_wait_to_make_the_next(first, second, clock):
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    await first.tell(Verdict.SUCCESS, Verdict.NEUTRAL, Verdict.SUCCESS, Verdict.SUCCESS)
    await exchange(first, second)
    assert second.state is BreakerStatus.CLOSED


async def test_a_failed_trial_keeps_the_app_alone_everywhere_for_another_while(
    first, second, clock
):
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    await second.tell(Verdict.FAILURE)
    assert await first.rush() == []
    clock.advance(59)
    await exchange(second, first)
    assert [*await first.rush(), *await second.rush()] == []
    clock.advance(1)
    assert len(await first.rush()) == 1


async def test_a_trial_that_says_nothing_may_be_made_by_another_process(first, second, clock):
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    [trial] = await first.rush()
    assert await second.rush() == []
    trial.report(Verdict.NEUTRAL)
    await exchange(first, second)
    assert len(await second.rush()) == 1


async def test_a_trial_whose_process_died_is_made_by_another_after_its_lease(first, second, clock):
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    await first.rush()  # and never is it heard of again
    clock.advance(59)
    assert await second.rush() == []
    clock.advance(1.1)
    await second.tell(Verdict.SUCCESS)
    assert second.state is BreakerStatus.HALF_OPEN


async def test_two_that_open_at_the_same_time_agree_on_one_opening(first, second, clock, database):
    await first.fail()
    clock.advance(2)
    await second.fail()
    await asyncio.gather(first.openings.exchange(), second.openings.exchange())
    await exchange(first, second)
    assert first.breakers.snapshot() == second.breakers.snapshot()
    assert await rows(database) == 1


async def test_an_operator_s_word_is_heard_by_all(first, second, database):
    await first.fail()
    await exchange(first, second)
    await second.breakers.reset(KEY)
    assert second.state is BreakerStatus.CLOSED
    await exchange(first)
    assert first.breakers.snapshot() == []
    assert await rows(database) == 0


async def test_a_reset_counts_against_a_trial_that_was_begun_before(first, second, clock):
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    [trial] = await first.rush()
    await second.breakers.reset(KEY)
    trial.report(Verdict.FAILURE, "LATE")
    await exchange(first, second)
    assert (first.state, second.state) == (BreakerStatus.CLOSED, BreakerStatus.CLOSED)


async def test_a_process_that_starts_knows_what_is_open(first, database, clock):
    await first.fail()
    await exchange(first)
    later = make_process(database, clock)
    await exchange(later)
    assert await later.rush() == []


async def test_the_background_tells_and_hears_by_itself(database):
    clock = LoadTolerantClock()
    first = make_process(database, clock, poll_s=0.02)
    second = make_process(database, clock, poll_s=0.02)
    first.openings.start()
    second.openings.start()
    second.openings.start()
    await first.fail()
    await until(lambda: second.state is BreakerStatus.OPEN)
    await first.breakers.reset(KEY)
    await until(lambda: second.state is BreakerStatus.CLOSED)
    await first.openings.stop()
    await second.openings.stop()


async def test_it_may_be_started_inside_a_transaction(database):
    process = make_process(database, LoadTolerantClock(), poll_s=0.02)
    async with database.write():
        process.openings.start()
        await process.fail()
    other = make_process(database, LoadTolerantClock(), poll_s=0.02)
    other.openings.start()
    await until(lambda: other.state is BreakerStatus.OPEN)
    await process.openings.stop()
    await other.openings.stop()


async def test_what_is_left_to_say_is_written_at_the_end(first, second):
    first.openings.start()
    await first.fail()
    await first.openings.stop()
    await exchange(second)
    assert second.state is BreakerStatus.OPEN


@pytest.fixture
async def line(database_url):
    async with CuttableProxy(database_url) as line:
        yield line


@only_postgresql
async def test_without_the_database_a_process_decides_alone_and_tells_later(line, second, clock):
    database = Database(line.url, clock=clock)
    await database.open()
    first = make_process(database, clock)
    await exchange(first)
    await line.cut()
    with capture_logs() as lines:
        await first.fail()
        await exchange(first)
        assert await first.rush() == []
        clock.advance(60)
        assert len(await first.rush()) == 1
    own = [each["event"] for each in lines if each["event"].startswith("breakers")]
    assert own == ["breakers are not shared"]
    await line.restore()
    await exchange(first, second)
    assert second.state is BreakerStatus.OPEN
    await database.close()


@only_postgresql
async def test_a_claim_that_finds_no_database_goes_on_alone(line, second, clock):
    database = Database(line.url, clock=clock)
    await database.open()
    first = make_process(database, clock)
    await first.fail()
    await exchange(first, second)
    await line.cut()
    clock.advance(60)
    assert len(await first.rush()) == 1
    await database.close()


@only_postgresql
async def test_a_database_that_hangs_holds_a_trial_up_for_a_moment_only(
    database_url, database, clock
):
    process = make_process(database, clock, claim_s=0.05)
    await process.fail()
    await exchange(process)
    clock.advance(60)
    other = Database(database_url, clock=clock)
    async with asyncio.timeout(HANG_TIMEOUT):
        async with other.write() as unit:
            await unit.session.execute(select(BreakerOpeningRow).with_for_update())
            assert len(await process.rush()) == 1
        await process.openings.stop()
    await other.close()


@only_postgresql
async def test_two_processes_with_their_own_connections_race_for_one_trial(database_url, clock):
    databases = [Database(database_url, clock=clock) for _ in range(2)]
    first, second = (make_process(each, clock) for each in databases)
    await first.fail()
    await exchange(first, second)
    clock.advance(60)
    here, there = await asyncio.gather(first.rush(), second.rush())
    assert len(here) + len(there) == 1
    for database in databases:
        await database.close()


#: who waits for the transaction that asks
WAITING = text(
    "SELECT count(*) FROM pg_locks AS waiting JOIN pg_locks AS held USING (transactionid)"
    " WHERE NOT waiting.granted AND held.pid = pg_backend_pid() AND held.granted"
)


@only_postgresql
async def test_an_opening_written_by_another_at_the_same_moment_is_adopted(
    database_url, database, first, clock
):
    await first.fail()
    other = Database(database_url, clock=clock)
    async with other.write() as unit:
        opened = {"opened_at": clock.now(), "open_until": clock.now() + timedelta(seconds=50)}
        counts = {"opening": "open_theirs", "failures": 5, "successes": 0}
        unit.session.add(BreakerOpeningRow(**KEY._asdict(), **counts, **opened))
        await unit.session.flush()
        mine = asyncio.create_task(first.openings.exchange(), context=Context())
        async with asyncio.timeout(HANG_TIMEOUT):
            while not await unit.session.scalar(WAITING):  # noqa: ASYNC110 - the server's work
                await asyncio.sleep(0.01)
    await mine
    await exchange(first)
    assert first.breakers.find(KEY).opening == "open_theirs"
    assert await rows(database) == 1
    await other.close()


@only_postgresql
async def test_what_cannot_be_written_keeps_nothing_else_back(first, second):
    poisoned = Key("bad", "1.0.0", "actions")
    for _ in range(5):
        (await first.breakers.admit(poisoned)).report(Verdict.FAILURE, "NUL: \0")
    await first.fail()
    with capture_logs() as lines:
        await exchange(first, second)
    assert [each["event"] for each in lines if each["log_level"] == "error"] == [
        "an opening could not be written"
    ]
    assert second.state is BreakerStatus.OPEN
    assert await first.breakers.admit(poisoned) is None
