"""One host process serves a SQLite file, and a second is told so."""

import os
from pathlib import Path

import pytest
from sqlalchemy import make_url, select

from mymozhem.clock import HeldClock
from mymozhem.db.process_lock import AlreadyRunning, ProcessLock, running_host
from mymozhem.db.unit_of_work import Database
from tests.integration.db import crash_child
from tests.integration.db.tables import Counter
from tests.support.forked_process import fork

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def file(database_url):
    return Path(make_url(database_url).database)


async def test_a_second_host_is_refused_with_a_sentence_that_says_so(database, database_url):
    second = Database(database_url, clock=HeldClock())
    with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}.*is already running"):
        await second.open()
    await second.close()
    async with database.write() as unit:  # the first is unharmed
        unit.session.add(Counter(name="one"))


async def test_the_lock_is_free_after_close(database_url):
    for _ in range(2):
        database = Database(database_url, clock=HeldClock())
        await database.open()
        await database.close()
        await database.close()


async def test_the_lock_dies_with_its_process(database_url, file):
    child = await fork(crash_child.main, database_url)
    await child.stdout.readline()
    assert running_host(file) == child.pid
    with pytest.raises(AlreadyRunning, match=str(child.pid)):
        ProcessLock(file).acquire()
    child.kill()
    await child.wait()
    assert running_host(file) is None


async def test_a_command_beside_the_host_reads_without_the_lock(database, database_url, file):
    command = Database(database_url, clock=HeldClock())
    await command.open(exclusive=False)
    async with command.read() as session:
        assert await session.scalar(select(Counter.name)) is None
    await command.close()
    assert running_host(file) == os.getpid()


def test_nothing_runs_on_a_folder_that_was_never_used(tmp_path, dialect):
    assert running_host(tmp_path / "mymozhem.sqlite3") is None
    assert list(tmp_path.iterdir()) == []
