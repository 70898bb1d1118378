"""Record drift: a remote app replied for another lock than its room has."""

import asyncio
from collections import Counter

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.dispatch.lock_drift import Drifted
from mymozhem.rooms.core.call_listener import CallListener
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.locks import LockDriftRow
from mymozhem.rooms.tables.rooms import RoomRow

#: drifts that wait to be written; what comes beyond them is dropped
MOST_WAITING = 1_000

#: different locks that are kept of one room: an app may name whatever it likes
MOST_NAMED = 20

LONGEST_NAME = 128

#: seconds between two writings, in which the same drifts are counted together
PAUSE = 1.0

logger = structlog.stdlib.get_logger(__name__)


class Drifts(CallListener):
    """Collects drift in memory and writes it later, with counts; `open` it when the services exist.

    Before that, and while too many wait, drift is dropped.
    """

    def __init__(self, *, pause: float = PAUSE) -> None:
        super().__init__("lock drifts", limit=1)
        self._waiting: Counter[Drifted] = Counter()
        self._writing = False
        self._pause = pause

    def drifted(self, drift: Drifted, /) -> None:
        """Collect a reply that named another lock."""
        services = self._services
        if services is None or (drift not in self._waiting and len(self._waiting) >= MOST_WAITING):
            return
        self._waiting[drift] += 1
        if not self._writing:
            self._writing = self._tasks.run(lambda: self._write(services), app=drift.app_id)

    async def _write(self, services: Services) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, Counter()
                async with services.database.write() as unit:
                    for drift, times in taken.items():
                        await _add(unit, drift, times)
                await asyncio.sleep(self._pause)
        finally:
            self._writing = False


async def _add(unit: UnitOfWork, drift: Drifted, times: int) -> None:
    room = await unit.session.scalar(select(RoomRow.id).where(RoomRow.id == drift.room_id))
    named = _printable(drift.named)
    others = select(func.count()).where(
        LockDriftRow.room_id == drift.room_id, LockDriftRow.named != named
    )
    if room is None or (await unit.session.scalar(others) or 0) >= MOST_NAMED:
        return
    # Both engines know "on conflict", and SQLAlchemy has no word for it that both share.
    is_sqlite = unit.session.get_bind().dialect.name == "sqlite"
    new = (sqlite.insert(LockDriftRow) if is_sqlite else postgresql.insert(LockDriftRow)).values(
        id=new_id("drift"),
        room_id=drift.room_id,
        app_id=drift.app_id,
        version=drift.version,
        named=named,
        expected=drift.expected,
        times=times,
        first_at=unit.now,
        last_at=unit.now,
    )
    counted = await unit.session.scalar(
        new.on_conflict_do_update(
            index_elements=[LockDriftRow.room_id, LockDriftRow.named],
            set_={
                "times": LockDriftRow.times + times,
                "version": drift.version,
                "expected": drift.expected,
                "last_at": unit.now,
            },
        ).returning(LockDriftRow.times)
    )
    if counted == times:
        logger.warning(
            "a remote app answers for another lock",
            app=drift.app_id,
            room_id=drift.room_id,
            named=named,
            expected=drift.expected,
        )


def _printable(named: str) -> str:
    """Return a name given by an app in characters that every database and terminal accepts."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in named)[
        :LONGEST_NAME
    ]
