"""Only the user of the host can read a SQLite database."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from mymozhem.clock import HeldClock
from mymozhem.db.unit_of_work import Database
from tests.integration.db.tables import Counter
from tests.support.databases import run


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_database_that_others_could_read_is_closed_to_them(database_url):
    file = Path(make_url(database_url).database or "")
    file.chmod(0o644)
    run(write(database_url))
    assert file.stat().st_mode & 0o777 == 0o640  # a group is the operator's own choice


async def test_a_new_database_and_the_files_beside_it_are_private(tmp_path):
    file = tmp_path / "new.sqlite3"
    database = Database(f"sqlite:///{file}", clock=HeldClock())
    await database.open()
    try:
        modes = {each.name: each.stat().st_mode & 0o077 for each in tmp_path.iterdir()}
    finally:
        await database.close()
    assert modes == {f"new.sqlite3{suffix}": 0 for suffix in ("", "-shm", "-wal", ".lock")}


async def write(url):
    database = Database(url, clock=HeldClock())
    await database.open()
    try:
        async with database.write() as unit:
            unit.session.add(Counter(name="one"))
    finally:
        await database.close()
