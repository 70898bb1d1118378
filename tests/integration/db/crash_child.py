"""A host that is about to die: writes, says how far it came, and waits for the signal."""

import asyncio
import sys

from sqlalchemy import func, select

from mymozhem.clock import SystemClock
from mymozhem.db.unit_of_work import Database
from tests.integration.db.tables import Counter


def say(step: str) -> None:
    sys.stdout.write(f"{step}\n")
    sys.stdout.flush()


async def main(url: str) -> None:
    database = Database(url, clock=SystemClock())
    await database.open()
    async with database.write() as unit:
        unit.session.add(Counter(name="committed"))
        unit.after_commit(lambda: say("committed"))
    async with database.write() as unit:
        unit.session.add(Counter(name="flushed"))
        await unit.session.flush()
        await unit.session.execute(select(func.count()).select_from(Counter))
        say("flushed")
        await asyncio.Event().wait()
