"""Background tasks: limited in number, independent of requests and of each other's errors."""

import asyncio
from contextvars import ContextVar

import pytest
from structlog.testing import capture_logs

from mymozhem.concurrency.background_tasks import BackgroundTasks
from mymozhem.errors import Conflict

USER: ContextVar[str | None] = ContextVar("user", default=None)


async def test_work_beyond_the_limit_is_dropped_with_a_line_in_the_log():
    tasks, free, done = BackgroundTasks("notes", limit=2), asyncio.Event(), []

    async def work():
        await free.wait()
        done.append(1)

    with capture_logs() as lines:
        assert [tasks.run(work, call_id=str(number)) for number in range(3)] == [
            True, True, False,
        ]  # fmt: skip
    assert [(line["event"], line["call_id"]) for line in lines] == [("dropped", "2")]
    free.set()
    await tasks.settled()
    assert done == [1, 1]
    assert tasks.run(work)
    await tasks.settled()


@pytest.mark.parametrize("error", [Conflict(), ValueError()])
async def test_an_error_is_logged_and_the_next_task_runs(error):
    tasks = BackgroundTasks("notes", limit=1)

    async def fail():
        raise error

    with capture_logs() as lines:
        for _ in range(2):
            assert tasks.run(fail, app="quiz")
            await tasks.settled()
    assert [line["app"] for line in lines] == ["quiz"] * 2


async def test_a_task_inherits_no_context_and_ends_with_close():
    tasks, seen = BackgroundTasks("notes", limit=2), []

    async def look():
        seen.append(USER.get())
        await asyncio.Event().wait()

    USER.set("somebody")
    tasks.run(look)
    await asyncio.sleep(0)
    await tasks.close()
    await tasks.settled()
    assert seen == [None]
