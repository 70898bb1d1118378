"""A host that dies: it works on what is due, and kills itself at the n-th step of a transaction.

Before and after every BEGIN, flush and COMMIT of its writing engine a counter goes up; at the
number given the process ends as by kill -9. With 0 it works until nothing is left.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event, or_, select

from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.timers import TimerRow
from tests.support.apps.timer_app import TimerApp
from tests.support.host import make_services
from tests.support.timing import HANG_TIMEOUT

# No lease ends while a host works, however busy the machine is. The tests end those of a dead host.
LEASE = timedelta(seconds=HANG_TIMEOUT)


class Fuse:
    """Ends the process at the n-th step."""

    def __init__(self, steps: int) -> None:
        self.burnt, self._steps = 0, steps

    def burn(self, *_: object, **__: object) -> None:
        self.burnt += 1
        if self.burnt == self._steps:
            os.kill(os.getpid(), signal.SIGKILL)


def lay(fuse: Fuse, database: Database) -> None:
    engine = database._writer.sync_engine  # noqa: SLF001 - the test stands where the power fails
    for moment in ("begin", "before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, moment, fuse.burn)
    event.listen(engine.pool, "checkin", fuse.burn)  # right after a commit or a rollback


async def main(url: str, folder: str, steps: int) -> None:
    database = Database(url, clock=SystemClock())
    await database.open()
    services = await make_services(database, SystemClock(), Path(folder), {"marker": TimerApp()})
    jobs = Jobs(services, lease=LEASE, poll=0.05)
    fuse = Fuse(steps or 1_000_000)
    lay(fuse, database)
    jobs.start()
    while await unfinished(database):  # noqa: ASYNC110 - what it waits for is in the database
        await asyncio.sleep(0.1)
    await jobs.stop()
    await services.dispatcher.close()
    await database.close()
    sys.stdout.write(f"{fuse.burnt}\n")


async def unfinished(database: Database) -> bool:
    """Tell whether draws or timers are left to be done."""
    async with database.read() as session:
        draws = select(DrawRow.id).where(DrawRow.status.not_in(["REVEALED", "VOIDED"])).exists()
        return bool(await session.scalar(select(or_(draws, select(TimerRow.id).exists()))))
