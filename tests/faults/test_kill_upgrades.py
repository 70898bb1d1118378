"""A host is killed while it moves a room: the room is of one version, wholly, and can be moved."""

import os
import random
import signal

from structlog.testing import capture_logs

from mymozhem.audit.tables import AuditRow
from tests.faults import upgrade_child
from tests.faults.kills import ROUNDS
from tests.integration.rooms.upgrades.test_upgrade import RENAME, RENAMED
from tests.support.apps.versioned_app import VersionedApp, open_versioned_host
from tests.support.forked_process import fork
from tests.support.timing import LoadTolerantClock

#: statements, flushes and commits of one move and of the start before it, and some more
STEPS = 60


async def killed_at(versioned_host, url, room, steps):
    """Run the host that dies; return whether it came as far as that step."""
    folder, organizer = str(versioned_host.folder), versioned_host.host.organizer
    child = await fork(upgrade_child.main, url, folder, room.id, organizer.user_id, steps)
    status = await child.wait()
    assert status in (0, -signal.SIGKILL)
    return status == -signal.SIGKILL


def steps_to_die_at():
    if os.environ.get("MYMOZHEM_FAULT_ROUNDS"):
        return list(range(1, STEPS))
    return sorted(random.Random(8).sample(range(1, 40), ROUNDS))


async def test_a_room_is_of_one_version_whatever_step_its_host_dies_at(
    database_url, database, tmp_path
):
    with capture_logs():
        versioned_host = await open_versioned_host(database, LoadTolerantClock(), tmp_path)
        rooms = [await versioned_host.room({"title": "Gala"}) for _ in steps_to_die_at()]
        await versioned_host.host.services.dispatcher.close()
        await database.close()
        killed = [
            await killed_at(versioned_host, database_url, room, steps)
            for room, steps in zip(rooms, steps_to_die_at(), strict=True)
        ]
        assert any(killed)
        await database.open()
        await versioned_host.install(VersionedApp("2.0.0", RENAMED, migrations=[RENAME]))
        before = {"title": "Gala", "limit": 3}
        after = {"name": "Gala", "limit": 3}
        for room in rooms:
            found = await versioned_host.all_of(room)
            moved = found["manifest"] == "2.0.0"
            assert found["settings"] == (after if moved else before)
            assert found["locks"] == (2 if moved else 1)
            assert (await versioned_host.upgrade(room, "2.0.0")).moved is not moved
            await versioned_host.replayed(room)
            assert (await versioned_host.now(room)).app_settings == after
        assert await versioned_host.host.count(AuditRow, action="room.upgrade") == len(rooms)
        await versioned_host.host.services.dispatcher.close()
