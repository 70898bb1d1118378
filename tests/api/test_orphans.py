"""A room whose app is gone reads as before over every route, replays, and hurts nobody."""

import re
from contextlib import asynccontextmanager

import pytest

from mymozhem.api.v1 import ROUTES
from mymozhem.app import create_app, host_of
from mymozhem.cli.room_reports import as_json, export_lines
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.locks.reconciler import LockReconciler
from mymozhem.rooms.replay import replay
from mymozhem.rooms.tables.locks import LockDriftRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.api_host import Caller, make_api_host
from tests.support.api_room import make_api_room

#: every route of one room that only reads
READING = sorted(
    route.endpoint.removeprefix("GET ")
    for route in ROUTES
    if route.endpoint.startswith("GET /rooms/{id}")
)


@asynccontextmanager
async def restarted(settings, clock, catalog=None):
    """Start the host anew on the same database and with the same keys."""
    app = create_app(settings, clock=clock, catalog=catalog, run_jobs=False)
    async with app.test_app():
        yield app, host_of(app)


def same(caller: Caller, app) -> Caller:
    """Return somebody with their token at another host."""
    return Caller(app.test_client(), caller.token, caller.id)


async def test_every_route_of_a_room_reads_as_it_did_before_its_app_was_gone(
    database_url, clock, tmp_path
):
    async with make_api_room(database_url, clock, tmp_path, "Ada", "Bob") as api_room:
        prize = (await api_room.organizer.post(f"{api_room.path}/prizes", {"name": "Bike"})).data
        drawn = await api_room.organizer.post(f"{api_room.path}/draws", {"run": True})
        assert drawn.status == 202, drawn.raw
        await api_room.host.work()
        (won,) = (await api_room.organizer.get(f"{api_room.path}/winners")).data
        await api_room.open()
        await api_room.submitted({"n": 1}, {"n": 2})
        await api_room.close()
        await api_room.open("later")
        names = {
            "id": api_room.room["id"], "pid": api_room.ids[0], "prizeId": prize["id"],
            "wid": won["id"], "did": drawn.data["id"], "windowId": "w",
        }  # fmt: skip
        paths = [re.sub(r"{(\w+)}", lambda found: names[found[1]], path) for path in READING]
        people = [api_room.organizer, api_room.guests[0]]
        before = [[await one.get(path) for path in paths] for one in people]
        assert {heard.status for heard in before[0]} == {200}
        settings = api_room.host.host.services.settings
    async with restarted(settings, clock, Catalog((), ())) as (app, host):
        for caller, known in zip(people, before, strict=True):
            for path, heard in zip(paths, known, strict=True):
                again = await same(caller, app).get(path)
                assert again.status == heard.status, path
                if path.endswith("/lock"):
                    assert (heard.data["orphaned"], again.data["orphaned"]) == (False, True)
                    assert again.data["lock"] == heard.data["lock"]
                else:
                    assert again.raw == heard.raw, path
        organizer = same(api_room.organizer, app)
        acted = await organizer.post(f"{api_room.path}/actions/do", {})
        assert (acted.status, acted.code) == (503, "APP_ORPHANED")
        listed = (await organizer.get("/rooms?mine=true")).data
        assert [room["id"] for room in listed] == [api_room.room["id"]]
        async with host.services.database.read() as session:
            room = await session.get_one(RoomRow, api_room.room["id"])
            _, *events, last = [line async for line in export_lines(session, room)]
        assert as_json(replay(events)) == last["end"]
        await LockReconciler(host.services).run_due()
        noted = (await organizer.get("/notifications")).data
        assert noted[0]["title"] == "The app of this room is gone"
        ended = await organizer.patch(api_room.path, {"status": "COMPLETED"})
        assert ended.status == 200, ended.raw


RAISES = {"an error": "raise RuntimeError('no')", "the end": "raise SystemExit(3)"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package for the app `echo_app` whose code is this text."""

    def install(source: str) -> None:
        site = tmp_path / "site"
        info = site / "broken_stall-1.0.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-stall\nVersion: 1.0.0")
        (info / "entry_points.txt").write_text("[mymozhem.apps]\nstall = broken_stall\n")
        (site / "broken_stall.py").write_text(source)
        monkeypatch.syspath_prepend(site)

    return install


@pytest.mark.parametrize("state", ["not installed", "broken environment", *RAISES])
async def test_a_host_starts_whatever_became_of_an_app(
    database_url, clock, tmp_path, package, state
):
    async with make_api_host(database_url, clock, tmp_path) as host:
        room = await host.start()
        settings = host.host.services.settings
        admin = await host.person("admin@example.com", is_admin=True)
    if state in RAISES:
        package(RAISES[state])
    if state == "broken environment":
        broken = settings.isolated_dir / "stall-1.0.0-000000000000"
        broken.mkdir(parents=True)
        (broken / "environment.json").write_text('{"appId": "stall"}')
    enabled = settings.model_copy(update={"enable_apps": ("stall",)})
    async with restarted(enabled, clock) as (app, _):
        organizer = same(host.organizer, app)
        assert (await organizer.get(f"/rooms/{room['id']}")).status == 200
        lock = (await organizer.get(f"/rooms/{room['id']}/lock")).data
        assert (lock["orphaned"], lock["servedBy"]["target"]) == (True, None)
        overview = (await same(admin, app).get("/admin/overview")).data
        assert {each["appId"] for each in overview["refusedApps"]} >= {"stall"}


async def test_a_host_starts_with_rooms_of_a_remote_app_that_was_deleted(
    database_url, clock, tmp_path
):
    async with make_api_host(database_url, clock, tmp_path) as before:
        await before.remote_app()
        room = await before.start(appId="raffle")
        admin = await before.person("admin@example.com", is_admin=True)
        assert (await admin.delete("/apps/raffle?force=true")).status == 200
        settings = before.host.services.settings
    async with restarted(settings, clock) as (app, host):
        await LockReconciler(host.services).run_due()
        organizer = same(before.organizer, app)
        assert (await organizer.get(f"/rooms/{room['id']}")).status == 200
        lock = (await organizer.get(f"/rooms/{room['id']}/lock")).data
        assert lock["orphaned"]
        assert [record["target"] for record in lock["servedBy"]["records"]] == [None]
        async with host.services.database.write() as unit:
            unit.session.add(
                LockDriftRow(
                    room_id=room["id"], app_id="raffle", version="1.0.0", named="b" * 64,
                    expected="a" * 64, times=1, first_at=clock.now(), last_at=clock.now(),
                )
            )  # fmt: skip
        overview = (await same(admin, app).get("/admin/overview")).data
        assert (overview["orphanedRooms"], overview["driftedRooms"]) == (1, 1)
