"""The listing's queries use their indexes, on both engines."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.engine import Engine

from mymozhem.clock import HeldClock
from mymozhem.contract import RoomStatus
from mymozhem.db.base import new_id
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.views.paging import PageRequest
from mymozhem.rooms.views.rooms import RoomFilter, RoomReader
from tests.support.host import HostHarness

ROOMS = 3_000

Sent = list[tuple[str, object]]


@pytest.fixture
def sent() -> Iterator[Sent]:
    """Every statement that is sent to a database, with its values."""
    statements: Sent = []

    def keep(_connection, _cursor, statement, parameters, _context, _many) -> None:
        statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", keep)
    yield statements
    event.remove(Engine, "before_cursor_execute", keep)


async def fill(host: HostHarness, clock: HeldClock) -> None:
    room = await host.room("bazaar")
    columns = {column.key: getattr(room, column.key) for column in RoomRow.__mapper__.column_attrs}
    rows = []
    for number in range(ROOMS):
        made = clock.now() + timedelta(seconds=number)
        fresh = {"id": new_id("room"), "code": f"C{number}", "created_at": made}
        rows.append(columns | fresh | {"is_public": number % 10 == 0})
    async with host.services.database.write() as unit:
        await unit.session.execute(insert(RoomRow), rows)
        await unit.session.execute(text("ANALYZE"))


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (RoomFilter(), "ix_rooms_is_public"),
        (RoomFilter(status=RoomStatus.ACTIVE), "ix_rooms_"),
    ],
    ids=["public", "by status"],
)
async def test_a_page_of_rooms_is_read_in_the_order_of_an_index(
    host: HostHarness, clock: HeldClock, sent: Sent, wanted: RoomFilter, index: str
) -> None:
    await fill(host, clock)
    sent.clear()
    await RoomReader(host.services).rooms(None, wanted, PageRequest())
    pages = [each for each in sent if "LIMIT" in each[0]]
    assert pages

    word = "EXPLAIN QUERY PLAN" if host.services.database.dialect == "sqlite" else "EXPLAIN"
    async with host.services.database.read() as session:
        connection = await session.connection()
        for statement, parameters in pages:
            rows = await connection.exec_driver_sql(f"{word} {statement}", parameters)
            plan = " ".join(str(row) for row in rows)
            assert index in plan, plan
            assert "Seq Scan on rooms" not in plan, plan
            assert "SCAN rooms'" not in plan, plan
