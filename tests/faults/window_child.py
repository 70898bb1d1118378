"""A host of windows that is killed: phones answer all that is open, until it dies.

Each acknowledgement is a line of JSON on the standard output, written once it was heard. Asked to
`finish` it works until every window is settled and revealed, without any phones.
"""

import asyncio
import json
import os
from pathlib import Path

from sqlalchemy import func, select, update

from mymozhem.auth.principal import Principal
from mymozhem.clock import SystemClock
from mymozhem.contract import PersonKind, WindowStatus
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.results import ResultPartRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow
from mymozhem.rooms.windows import downtime, results
from mymozhem.rooms.windows.submit import submit
from mymozhem.rooms.windows.timing import left_ms
from tests.faults.host_child import LEASE, Fuse, lay
from tests.support.apps.slow_window_app import SlowWindowApp
from tests.support.host import make_services


def say(**facts: object) -> None:
    """Write a line at once: what was said is known, whatever happens next."""
    os.write(1, json.dumps(facts).encode() + b"\n")


async def main(url: str, folder: str, steps: int, mode: str) -> None:
    results.AT_ONCE = 2  # so that results have many parts, with kills in between
    database = Database(url, clock=SystemClock())
    await database.open()
    services = await make_services(
        database, SystemClock(), Path(folder), {"asker": SlowWindowApp()}
    )
    await downtime.recover(services, starting=True)
    jobs = Jobs(services, lease=LEASE)
    lay(Fuse(steps or 1_000_000), database)
    jobs.start()
    say(ready=True, left=await left(database))
    if mode == "finish":
        while await unfinished(database):  # noqa: ASYNC110 - what it waits for is in the database
            await asyncio.sleep(0.05)
    else:
        await asyncio.gather(*await phones(services), asyncio.Event().wait())
    await jobs.stop()
    await services.dispatcher.close()
    await database.close()


async def left(database: Database) -> dict[str, int | None]:
    """Return the milliseconds that are left of each open window."""
    now = await database.now()
    async with database.read() as session:
        rows = await session.scalars(select(WindowRow).filter_by(status=WindowStatus.OPEN))
        return {row.key: left_ms(row, now) for row in rows}


async def unfinished(database: Database) -> bool:
    """Return whether windows are left to be settled or revealed; those are due at once.

    Their results may be left to be written, too.
    """
    hidden = (WindowRow.status == WindowStatus.CLOSED) & WindowRow.revealed_at.is_(None)
    async with database.write() as unit:
        await unit.session.execute(
            update(WindowRow).where(hidden, WindowRow.due_at > unit.now).values(due_at=unit.now)
        )
        shown = (WindowRow.status == WindowStatus.CLOSED) & WindowRow.revealed_at.is_not(None)
        parts = await unit.session.scalar(select(ResultPartRow.id).limit(1))
        return bool(parts or await unit.session.scalar(select(WindowRow.id).where(~shown).limit(1)))


async def phones(services: Services) -> list[asyncio.Future[None]]:
    """Return a task for each phone and open window."""
    async with services.database.read() as session:
        people = (await session.scalars(select(ParticipantRow).filter_by(role="PARTICIPANT"))).all()
        windows = (await session.scalars(select(WindowRow).filter_by(status="open"))).all()
        found = await session.execute(
            select(SubmissionRow.participant_id, SubmissionRow.window_id, func.count()).group_by(
                SubmissionRow.participant_id, SubmissionRow.window_id
            )
        )
        sent = {(person, window): count for person, window, count in found}
    return [
        asyncio.ensure_future(
            answer(services, person, window, first=max(0, sent.get((person.id, window.id), 0) - 1))
        )
        for person in people
        for window in windows
    ]


async def answer(
    services: Services, person: ParticipantRow, window: WindowRow, *, first: int
) -> None:
    """Answer until the window is closed; the last one that may not have been heard is repeated."""
    caller = Principal(person.user_id, PersonKind.GUEST, person.room_id, "token")
    number = first
    while True:
        key, payload = f"k{number}", {"n": number}
        try:
            accepted = await submit(services, person.room_id, caller, window.key, payload, key=key)
        except Conflict:
            return
        say(window=window.key, person=person.id, key=key, id=accepted.submission_id)
        number += 1
        await asyncio.sleep(0.01)
