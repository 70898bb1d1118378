"""Notices to many organizers: decided at once, written part by part, and lost by no crash."""

import pytest
from sqlalchemy import select

from mymozhem.registry import manifest_history
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.notifications import deprecation
from mymozhem.rooms.tables.notifications import NotificationRow, UnsentNoticesRow
from tests.support.host import HostHarness

pytestmark = pytest.mark.both_engines


async def test_what_a_dead_process_has_not_sent_is_sent_once(
    host: HostHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deprecation, "AT_ONCE", 2)
    rooms = [await host.room("bazaar") for _ in range(5)]
    version, database = rooms[0].app_manifest_version, host.services.database
    async with database.write() as unit:
        published, changed = await manifest_history.deprecate(
            unit, "bazaar", version, reason="Slow.", deadline=None
        )
        count, parts = await deprecation.plan_notices(unit, published)
    assert (changed, count, len(parts)) == (True, 5, 3)

    for _ in range(2):  # the second time there is nothing to do
        await deprecation.send_part(database, parts[0])
    assert await host.count(NotificationRow) == 2
    assert await Jobs(host.services).run_due() == 2
    assert await host.count(UnsentNoticesRow) == 0
    async with database.read() as session:
        noted = (await session.scalars(select(NotificationRow.room_id))).all()
    assert sorted(noted) == sorted(room.id for room in rooms)
