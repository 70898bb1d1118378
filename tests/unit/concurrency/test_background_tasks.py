"""Work in the background: bounded, of no request, and its errors end nothing else."""

import asyncio
from contextvars import ContextVar

import pytest
from structlog.testing import capture_logs

from mymozhem.concurrency.background_tasks import Errands
from mymozhem.errors import Conflict

WHO: ContextVar[str | None] = ContextVar("who", default=None)


async def test_so_much_is_done_at_once_and_what_is_more_is_dropped_with_a_line():
    errands, free, done = Errands("notes", most=2), asyncio.Event(), []

    async def work():
        await free.wait()
        done.append(1)

    with capture_logs() as lines:
        assert [errands.run(work, call_id=str(number)) for number in range(3)] == [
            True, True, False,
        ]  # fmt: skip
    assert [(line["event"], line["call_id"]) for line in lines] == [("dropped", "2")]
    free.set()
    await errands.settled()
    assert done == [1, 1]
    assert errands.run(work)
    await errands.settled()


@pytest.mark.parametrize("error", [Conflict(), ValueError()])
async def test_an_error_is_logged_and_the_next_one_goes_on(error):
    errands = Errands("notes", most=1)

    async def fail():
        raise error

    with capture_logs() as lines:
        for _ in range(2):
            assert errands.run(fail, app="quiz")
            await errands.settled()
    assert [line["app"] for line in lines] == ["quiz"] * 2


async def test_work_has_nothing_of_the_request_that_caused_it_and_ends_with_the_host():
    errands, seen = Errands("notes", most=2), []

    async def look():
        seen.append(WHO.get())
        await asyncio.Event().wait()

    WHO.set("somebody")
    errands.run(look)
    await asyncio.sleep(0)
    await errands.close()
    await errands.settled()
    assert seen == [None]
