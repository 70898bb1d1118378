"""Code that is missing and that rooms are locked to is installed apart, tried again at worst."""

import asyncio
import threading
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

import mymozhem_lottery
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.isolated.install import InstallFailed
from mymozhem.rooms.locks.reconciler import LockReconciler
from tests.integration.rooms.locks.hosts import started, titles
from tests.support.apps.draw_app import DrawApp
from tests.support.host import make_host

pytestmark = pytest.mark.both_engines


class Store:
    """What can be had; what is asked for is noted."""

    def __init__(self, *there):
        self.there = set(there)
        self.asked = []

    def __call__(self, requirement, settings):
        self.asked.append(requirement)
        if requirement not in self.there:
            raise InstallFailed(f"{requirement} is nowhere")


@pytest.fixture
async def host(database, clock, tmp_path):
    """A house whose lottery was upgraded to a version that does not serve its room any more."""
    host = await make_host(database, clock, tmp_path, {"lottery": mymozhem_lottery})
    room = await host.start("lottery")
    async with database.read() as session:
        catalog = Catalog((), await manifest_history.versions(session))
    settings = host.services.settings.model_copy(update={"enable_apps": ("lottery",)})
    host.services = replace(host.services, catalog=catalog, settings=settings)
    yield host, room
    await host.services.dispatcher.close()


async def test_what_cannot_be_had_is_tried_later_and_ever_later_up_to_an_hour(host, clock):
    host, room = host
    store = Store()
    keeper = LockReconciler(host.services, install=store)
    with capture_logs() as lines:
        await keeper.run_due()
        await keeper.run_due()
    assert store.asked == ["test-lottery==1.0.0"]
    (said,) = [line for line in lines if "do" in line]
    assert "mymozhem apps install 'test-lottery==1.0.0' --isolated" in said["do"]
    assert (said["app"], said["rooms"]) == ("lottery", 1)
    (seen,) = keeper.orphans()
    assert (seen.app_id, seen.rooms, seen.active, seen.do) == ("lottery", 1, 1, said["do"])
    for waited in (60, 120, 240, 480, 960, 1_920, 3_600, 3_600):
        clock.advance(waited - 1)
        await keeper.run_due()
        before = len(store.asked)
        clock.advance(1)
        await keeper.run_due()
        assert len(store.asked) == before + 1
    assert await titles(host.services, room.id) == ["The app of this room is gone"]


async def test_the_keeper_of_a_host_does_not_wait_for_what_it_installs_when_it_stops(host):
    host, _ = host
    loop, begun, let_go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def install(_requirement, _settings):
        loop.call_soon_threadsafe(begun.set)
        let_go.wait()

    keeper = LockReconciler(host.services, install=install)
    keeper.start()
    await begun.wait()
    await keeper.stop()
    await keeper.stop()
    let_go.set()


async def test_nothing_is_installed_twice_at_once_and_any_error_is_survived(host):
    host, room = host
    loop, begun, let_go, asked = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), []

    def install(requirement, _settings):
        asked.append(requirement)
        loop.call_soon_threadsafe(begun.set)
        let_go.wait()
        raise OSError("no space left")

    keeper = LockReconciler(host.services, install=install)
    first = asyncio.create_task(keeper.run_due())
    await begun.wait()
    second = asyncio.create_task(keeper.run_due())
    let_go.set()
    await asyncio.gather(first, second)
    assert asked == ["test-lottery==1.0.0"]
    assert await titles(host.services, room.id) == ["The app of this room is gone"]


@pytest.mark.parametrize(
    "change",
    [
        {"isolated_automatically": False},
        {"enable_apps": ()},
    ],
)
async def test_nothing_is_installed_against_the_operator_s_will(host, change):
    host, _ = host
    settings = host.services.settings.model_copy(update=change)
    store = Store()
    await LockReconciler(replace(host.services, settings=settings), install=store).run_due()
    assert store.asked == []


async def test_nothing_is_installed_for_an_app_that_was_uninstalled(database, clock, tmp_path):
    host = await make_host(database, clock, tmp_path, {"drawer": DrawApp()})
    await host.start("drawer")
    without = await started(host.services)
    settings = host.services.settings.model_copy(update={"enable_apps": ("drawer",)})
    store = Store()
    await LockReconciler(replace(without, settings=settings), install=store).run_due()
    assert store.asked == []
    await host.services.dispatcher.close()
