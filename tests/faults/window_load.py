"""What is done to windows, all at once: answered, steered, and moved on by the jobs of a host."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import select

from mymozhem.auth.principal import Principal
from mymozhem.contract import PersonKind, WindowStatus
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.windows import WindowRow
from mymozhem.rooms.windows import commands
from mymozhem.rooms.windows.submission_batch import TooEarly
from mymozhem.rooms.windows.submit import submit

Job = Mapping[str, Any]

UNSETTLED = (WindowStatus.OPEN, WindowStatus.PAUSED, WindowStatus.TALLYING)


async def _submit(services: Services, job: Job) -> object:
    """Submit; who is `patient` does so again as long as it is too early."""
    while True:
        try:
            accepted = await submit(
                services, job["room"], _caller(job), job["window"], {"n": job["n"]},
                key=job.get("key"),
            )  # fmt: skip
        except TooEarly:
            if not job.get("patient"):
                raise
        else:
            return accepted.submission_id


async def _steer(services: Services, job: Job) -> object:
    """Do as an organizer's button does; a `wait` comes before it, in seconds."""
    await asyncio.sleep(job.get("wait", 0))
    act = getattr(commands, job["act"])
    window = await act(services, job["room"], _caller(job), job["window"], **job.get("more", {}))
    return str(window.status)


async def _ask_app(services: Services, job: Job) -> object:
    payload = {"effects": job["effects"]}
    return (await perform(services, job["room"], _caller(job), "do", payload)).reply


async def _work(services: Services, _: Job) -> object:
    """Be a host that runs its jobs until every window has ended."""
    jobs = Jobs(services, poll=0.02)
    jobs.start()
    while await _unsettled(services):  # noqa: ASYNC110 - what it waits for is in the database
        await asyncio.sleep(0.1)
    await jobs.stop()
    return None


async def _unsettled(services: Services) -> bool:
    query = select(WindowRow.id).where(WindowRow.status.in_(UNSETTLED)).limit(1)
    async with services.database.read() as session:
        return await session.scalar(query) is not None


def _caller(job: Job) -> Principal:
    return Principal(job["user"], PersonKind.REGISTERED, None, "token")


DEEDS: dict[str, Callable[[Services, Job], Awaitable[object]]] = {
    "submit": _submit,
    "steer": _steer,
    "ask app": _ask_app,
    "work": _work,
}
