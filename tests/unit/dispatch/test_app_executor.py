"""Apps that use up their threads take none from the host, or from each other."""

import asyncio
import atexit
import threading

import pytest

from mymozhem.concurrency.app_ownership import owner_of_thread, record_owners, running_as
from mymozhem.dispatch.transports.app_executor import MAX_THREADS, AppExecutor


@pytest.fixture
async def let_go():
    """Let the running loop use the executor; set to let what hangs return."""
    let_go = threading.Event()
    executor = AppExecutor()
    asyncio.get_running_loop().set_default_executor(executor)
    yield let_go
    let_go.set()
    executor.shutdown()


async def test_an_app_that_hangs_in_all_its_threads_takes_none_of_others(let_go):
    async def hang():
        with running_as("stuck"):
            await asyncio.to_thread(let_go.wait)

    hanging = [asyncio.create_task(hang()) for _ in range(MAX_THREADS + 5)]
    await asyncio.sleep(0)
    assert await asyncio.to_thread(lambda: "host") == "host"
    with running_as("other"):
        assert await asyncio.to_thread(lambda: threading.current_thread().daemon) is True
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
    names = [each.name for each in threading.enumerate() if each.name.startswith("app-stuck-")]
    assert len(names) == MAX_THREADS
    let_go.set()
    await asyncio.gather(*hanging)


async def test_a_thread_that_an_app_starts_is_known_to_be_the_apps(let_go, monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.start)  # restored afterwards
    monkeypatch.setattr(atexit, "register", atexit.register)
    record_owners()
    with running_as("stuck"):
        await asyncio.to_thread(_start_two, let_go)
    threads = {each.name: each for each in threading.enumerate()}
    assert owner_of_thread(threads["outer"]) == owner_of_thread(threads["inner"]) == "stuck"
    assert owner_of_thread(threading.main_thread()) is None


def _start_two(let_go):
    began = threading.Event()

    def outer():
        threading.Thread(target=let_go.wait, name="inner", daemon=True).start()
        began.set()
        let_go.wait()

    threading.Thread(target=outer, name="outer", daemon=True).start()
    began.wait()
