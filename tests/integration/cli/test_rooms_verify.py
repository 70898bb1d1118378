"""`mymozhem rooms verify`: what holds of a room's lock, and what was tampered with."""

import asyncio
import json

import pytest
from click.testing import Result
from sqlalchemy import select, update

from mymozhem.clock import SystemClock
from mymozhem.contract.canonical_json import digest
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database
from mymozhem.registry.tables import ManifestVersionRow
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.locks import RoomLockRow, RoomServedByRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.databases import mark_as_migrated

WHATS = [
    "lock", "room", "manifest", "settings schema", "permissions", "settings", "code", "anchor",
    "draws",
]  # fmt: skip


@pytest.fixture
def rooms(run, seeds, database_url, tmp_path):
    seeds.plant(database_url, tmp_path / "data")
    return seeds.rooms


@pytest.fixture
def edit(database_url):
    """Change rows as somebody does who has the database."""

    def edit(work):
        async def write():
            database = Database(database_url, clock=SystemClock())
            await database.open(exclusive=False)
            async with database.write() as unit:
                await work(unit.session)
            await database.close()

        asyncio.run(write())

    return edit


def wrong(verified: Result) -> list[str]:
    document = json.loads(verified.stdout)
    lines = [line["what"] for line in document["lines"] if not line["holds"]]
    assert (document["holds"], verified.exit_code) == (not lines, 1 if lines else 0)
    return lines


def test_every_room_of_every_status_is_proved(run, rooms):
    for room in rooms.values():
        verified = run("rooms", "verify", room, "--format", "json")
        assert wrong(verified) == []
        assert [line["what"] for line in json.loads(verified.stdout)["lines"]] == WHATS
    every = run("rooms", "verify", "--all")
    assert every.exit_code == 0
    assert "NOT" not in every.stdout
    assert [rooms[status] in every.stdout for status in ("DRAFT", "ACTIVE", "COMPLETED")] == [
        True, True, False,
    ]  # fmt: skip


def of_room(table, room):
    return update(table).where((table.id if table is RoomRow else table.room_id) == room)


async def change_lock(session, room):
    row = await session.scalar(select(RoomLockRow).where(RoomLockRow.room_id == room))
    row.lock = row.lock | {"permissions": ["everything"]}


async def change_lock_and_its_digest(session, room):
    await change_lock(session, room)
    row = await session.scalar(select(RoomLockRow).where(RoomLockRow.room_id == room))
    row.digest = digest(row.lock)


async def change_version(session, room):
    await session.execute(of_room(RoomRow, room).values(app_manifest_version="9.9.9"))


async def change_manifest(session, _):
    row = await session.scalar(select(ManifestVersionRow))
    settings = row.manifest["settings"] | {"title": "Others"}
    row.manifest = row.manifest | {"settings": settings}


async def change_settings(session, room):
    await session.execute(of_room(RoomRow, room).values(app_settings={"theme": "pirates"}))


async def take_settings(session, room):
    await session.execute(of_room(RoomRow, room).values(app_settings={}))


async def change_anchor(session, room):
    await session.execute(of_room(RoomRow, room).values(draw_anchor="0" * 64))


async def change_secret(session, room):
    await session.execute(of_room(RoomRow, room).values(draw_secret=b"\x01" * 64))


async def change_rule(session, room):
    row = await session.scalar(select(DrawRow).where(DrawRow.room_id == room))
    row.rule = row.rule | {"lockDigest": "0" * 64}


@pytest.mark.parametrize(
    ("work", "found"),
    [
        (change_lock, ["lock", "permissions"]),
        (change_lock_and_its_digest, ["permissions", "draws"]),
        (change_version, ["room", "manifest"]),
        (change_manifest, ["manifest", "settings schema"]),
        (change_settings, ["settings"]),
        (take_settings, ["settings"]),
        (change_anchor, ["anchor"]),
        (change_secret, ["anchor"]),
        (change_rule, ["draws"]),
    ],
)
def test_what_somebody_changed_in_the_database_is_found_out(run, rooms, edit, work, found):
    room = rooms["COMPLETED"]
    edit(lambda session: work(session, room))
    assert wrong(run("rooms", "verify", room, "--format", "json")) == found


def test_other_code_than_the_locked_one_holds_only_where_a_record_explains_it(run, rooms, edit):
    room = rooms["ACTIVE"]

    async def other(session):
        row = await session.scalar(select(RoomLockRow).where(RoomLockRow.room_id == room))
        row.lock = row.lock | {"target": row.lock["target"] | {"version": "0.9.0"}}
        row.digest = digest(row.lock)

    edit(other)
    unexplained = run("rooms", "verify", room, "--format", "json")
    assert wrong(unexplained) == ["code"]
    assert "which nothing explains" in unexplained.stdout
    edit(lambda session: note(session, room))
    assert wrong(run("rooms", "verify", room, "--format", "json")) == []


async def note(session, room):
    """Note that what is installed answers."""
    others = await session.scalar(
        select(RoomLockRow).where(RoomLockRow.room_id != room).order_by(RoomLockRow.id)
    )
    row = await session.get_one(RoomRow, room)
    target = others.lock["target"]
    session.add(
        RoomServedByRow(
            id=new_id("served"), room_id=room, lock_id=row.lock_id, target=target,
            digest=digest(target), since=row.created_at,
        )
    )  # fmt: skip


def test_an_orphaned_room_is_not_what_it_was_locked_to(run, rooms, monkeypatch):
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "")
    orphaned = run("rooms", "verify", rooms["ACTIVE"], "--format", "json")
    assert wrong(orphaned) == ["code"]
    assert "Nothing answers: the room is orphaned." in orphaned.stdout
    assert wrong(run("rooms", "verify", rooms["COMPLETED"], "--format", "json")) == []
    assert run("rooms", "verify", "--all").exit_code == 1


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_room_has_to_be_named(run, rooms):
    assert run("rooms", "verify").exit_code == 2
    assert run("rooms", "verify", rooms["DRAFT"], "--all").exit_code == 2
    refused = run("rooms", "verify", "NOWHERE")
    assert refused.stderr == "Error: There is no room 'NOWHERE'; see `mymozhem rooms list`.\n"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_that_there_is_no_room_is_said_only_if_there_is_none(run, database_url):
    asyncio.run(mark_as_migrated(database_url))
    none = run("rooms", "verify", "--all")
    assert (none.exit_code, none.stderr) == (0, "There is no room in DRAFT or ACTIVE.\n")
    assert run("rooms", "verify", "--all", "--format", "json").stdout == "[]\n"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_is_said_of_rooms_does_not_contradict_itself(run, rooms, monkeypatch):
    assert run("rooms", "verify", "--all").stderr == ""
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "")
    orphaned = run("rooms", "verify", rooms["ACTIVE"]).stdout
    assert "Nothing answers: the room is orphaned." in orphaned
    assert "runs what it is locked to" not in orphaned
