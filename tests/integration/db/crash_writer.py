"""A host that commits row after row and acknowledges each, until it is killed."""

import sys
from functools import partial

from mymozhem.clock import SystemClock
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import Database
from tests.integration.db.tables import Counter


def say(name: str) -> None:
    sys.stdout.write(f"{name}\n")
    sys.stdout.flush()


async def main(url: str) -> None:
    database = Database(url, clock=SystemClock())
    await database.open()
    while True:
        name = new_id("row")
        async with database.write() as unit:
            unit.session.add(Counter(name=name))
            unit.after_commit(partial(say, name))
