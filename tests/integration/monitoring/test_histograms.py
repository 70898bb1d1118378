"""Counts of all processes are one sum, over the last hour, day and week."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from mymozhem.contract import DecidedBy
from mymozhem.monitoring.call_counts import CallCounts, forget_old
from mymozhem.monitoring.call_statistics import call_statistics
from mymozhem.monitoring.tables import CallCountRow
from tests.integration.monitoring.records import failed, observed

pytestmark = pytest.mark.both_engines


async def read(database, clock, window="1h", **more):
    async with database.read() as session:
        return await call_statistics(session, window, clock.now(), **more)


async def test_calls_are_counted_by_what_became_of_them(database, clock):
    counts = CallCounts(clock)
    for duration in (10.0, 20.0, 30.0):
        counts.observed(observed(duration_ms=duration))
    counts.observed(observed(result="refusal", duration_ms=40.0))
    counts.observed(failed("APP_TIMEOUT", duration_ms=5_000.0))
    counts.observed(failed("APP_ACCEPTED", duration_ms=50.0, decided_by=DecidedBy.QUEUE))
    counts.observed(failed("APP_PAUSED", duration_ms=0.1, reached=False))
    counts.observed(failed("APP_STOPPED", duration_ms=0.1, reached=False))
    await counts.flush(database)
    (found,) = await read(database, clock)
    assert (found.app_id, found.capability) == ("raffle", "actions")
    assert (found.calls, found.successes, found.failures) == (8, 5, 2)
    assert (found.timeouts, found.fallbacks, found.asked, found.slow) == (1, 4, 6, 1)
    assert found.codes == {"APP_TIMEOUT": 1, "APP_PAUSED": 1}
    assert found.success_rate == pytest.approx(5 / 7)
    assert found.spread.mean_ms == pytest.approx(5_150 / 6)
    assert 20 <= found.spread.p50_ms <= 35
    assert 4_000 <= found.spread.p99_ms <= 5_000


async def test_several_processes_add_up(database, clock):
    processes = [CallCounts(clock) for _ in range(4)]
    for process in processes:
        for code in ("APP_TIMEOUT", "APP_FAILED", "APP_BAD_STATUS"):
            for duration in range(0, 4_000, 100):
                process.observed(failed(code, duration_ms=float(duration)))
    await asyncio.gather(*(each.flush(database) for each in processes))
    (found,) = await read(database, clock)
    assert found.calls == 4 * 3 * 40
    assert set(found.codes.values()) == {160}


async def test_what_was_written_is_not_written_again(database, clock):
    counts = CallCounts(clock)
    counts.observed(observed())
    await counts.flush(database)
    await counts.flush(database)
    counts.observed(observed())
    await counts.flush(database)
    assert [each.calls for each in await read(database, clock)] == [2]


@pytest.mark.parametrize(
    ("ago", "seen"),
    [
        (timedelta(minutes=50), {"1h", "24h", "7d"}),
        (timedelta(minutes=66), {"24h", "7d"}),
        (timedelta(hours=22), {"24h", "7d"}),
        (timedelta(hours=26), {"7d"}),
        (timedelta(days=6), {"7d"}),
        (timedelta(days=7, hours=1), set()),
    ],
)
async def test_a_window_ends_where_it_says(database, clock, ago, seen):
    counts = CallCounts(clock)
    counts.observed(observed())
    clock.advance(ago)
    await counts.flush(database)
    found = {window for window in ("1h", "24h", "7d") if await read(database, clock, window)}
    assert found == seen


async def test_one_app_is_read_alone_and_capabilities_apart(database, clock):
    counts = CallCounts(clock)
    for app_id in ("raffle", "wheel"):
        for capability in ("actions", "health"):
            counts.observed(observed(app_id=app_id, capability=capability))
    await counts.flush(database)
    found = await read(database, clock, app_id="wheel")
    assert [(each.app_id, each.capability) for each in found] == [
        ("wheel", "actions"), ("wheel", "health"),
    ]  # fmt: skip


async def test_versions_of_an_app_are_one_line_that_names_them(database, clock):
    counts = CallCounts(clock)
    counts.observed(observed(version="1.0.0"))
    counts.observed(observed(version="2.0.0"))
    await counts.flush(database)
    (found,) = await read(database, clock)
    assert (found.versions, found.calls) == (("1.0.0", "2.0.0"), 2)


async def test_old_counts_are_forgotten_and_windows_keep_theirs(database, clock):
    counts = CallCounts(clock)
    counts.observed(observed())
    await counts.flush(database)
    clock.advance(timedelta(days=6, hours=23))
    await forget_old(database)
    assert await read(database, clock, "7d")
    clock.advance(timedelta(days=2))
    await forget_old(database)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(CallCountRow)) == 0


async def test_counts_that_could_not_be_written_are_written_later(database, clock):
    counts = CallCounts(clock)
    counts.observed(observed())
    async with database.write() as unit:
        await unit.session.execute(text("ALTER TABLE call_counts RENAME TO elsewhere"))
    with pytest.raises(Exception, match="call_counts"):
        await counts.flush(database)
    counts.observed(observed())
    async with database.write() as unit:
        await unit.session.execute(text("ALTER TABLE elsewhere RENAME TO call_counts"))
    await counts.flush(database)
    assert [each.calls for each in await read(database, clock)] == [2]
