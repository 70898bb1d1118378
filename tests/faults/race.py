"""Many at once: the same jobs run by one process, or shared out between two."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from mymozhem.auth.principal import Principal
from mymozhem.contract import (
    ActionRequest,
    Context,
    Effects,
    JsonObject,
    PersonKind,
    RegistrationResult,
    Reply,
    SetState,
    hookimpl,
)
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import MymozhemError
from mymozhem.idempotency.keys import Claim, complete, release, reserve
from mymozhem.idempotency.keys import Kept as KeptAnswer
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.rooms.draws import commands
from mymozhem.rooms.jobs.runner import Jobs as Work
from mymozhem.rooms.participants.join import join
from mymozhem.rooms.prizes import winners
from tests.faults.window_load import DEEDS
from tests.support.apps.slow_window_app import SlowWindowApp
from tests.support.engine_tuning import ENGINE_TUNING
from tests.support.forked_process import CONTEXT
from tests.support.host import make_services
from tests.support.timing import HANG_TIMEOUT, LoadTolerantClock, LoadTolerantLoop

Job = Mapping[str, Any]
Jobs = Sequence[Job]

#: longer than any run takes: waiting in a queue is not what is measured here
BUDGET_MS = 30_000


class Racer:
    """An app that counts in its state, and lets people in while there are seats."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        everybody = ["ORGANIZER", "PARTICIPANT"]
        return {
            "id": "racer",
            "meta": {"name": "Racer", "version": "1.0.0", "description": "Counts."},
            "capabilities": ["participantRegistration", "actions"],
            "permissions": [],
            "settings": {
                "type": "object",
                "properties": {"seats": {"type": ["integer", "null"], "default": None}},
            },
            "actions": {"count": {"roles": everybody}, "tick": {"roles": everybody, "batch": True}},
        }

    @hookimpl
    async def register_participant(self, context: Context) -> RegistrationResult:
        assert context.room is not None
        return RegistrationResult.model_validate({"seats": context.room.settings["seats"]})

    @hookimpl
    def handle_action(self, context: Context, request: ActionRequest) -> JsonObject | Effects:
        assert context.room is not None
        count = int(context.room.state.public.get("count", 0))  # type: ignore[arg-type]  # a number
        if request.calls is None:
            return _counted(count + 1)
        answers = [
            _counted(count + number).model_dump(mode="json", by_alias=True)
            for number in range(1, len(request.calls) + 1)
        ]
        return {"answers": answers}


def _counted(count: int) -> Effects:
    return Effects.of(SetState(public={"count": count}), Reply(data=count))


async def services_of(database: Database, folder: Path) -> Services:
    """Wire services with the racer and the asker, patient ones."""
    apps = {"racer": Racer(), "asker": SlowWindowApp()}
    services = await make_services(database, LoadTolerantClock(), folder, apps)
    settings = services.settings.model_copy(update={"action_budget_ms": BUDGET_MS})
    return replace(services, settings=settings)


# ----------------------------------------------------------------------------------- what is done


async def _join(services: Services, job: Job) -> object:
    joined = await join(services, job["code"], _caller(job), name=None, answers={})
    return [joined.participant.id, joined.new]


async def _act(services: Services, job: Job) -> object:
    return (await perform(services, job["room"], _caller(job), job["action"], {})).reply


async def _act_once(services: Services, job: Job) -> object:
    """Do as the border does with a request that carries an idempotency key."""
    claim = Claim(job["user"], "act", job["key"], "digest of the body")
    kept = await reserve(services.database, claim, hours=1)
    if kept is not None:
        return kept.body
    try:
        reply = await _act(services, job)
    except MymozhemError:
        await release(services.database, claim)
        raise
    await complete(services.database, claim, KeptAnswer(200, reply))
    return reply


async def _award(services: Services, job: Job) -> object:
    async with room_transaction(services, job["room"]) as writer:
        winner = await winners.award(
            writer, participant_id=job["participant"], prize_id=job["prize"], metadata={}
        )
    return winner.id


async def _fulfill(services: Services, job: Job) -> object:
    async with room_transaction(services, job["room"]) as writer:
        return (await winners.fulfill(writer, job["winner"])).status


async def _revoke(services: Services, job: Job) -> object:
    async with room_transaction(services, job["room"]) as writer:
        return (await winners.revoke(writer, job["winner"], reason="not here")).status


async def _run_draw(services: Services, job: Job) -> object:
    """Run a draw and do what is due: every job is a host that has just woken."""
    async with room_transaction(services, job["room"]) as writer:
        await commands.run(writer, await commands.by_id(writer, job["draw"]))
    await Work(services).run_due()
    return None


_DEEDS: dict[str, Callable[[Services, Job], Awaitable[object]]] = {
    "join": _join,
    "act": _act,
    "act once": _act_once,
    "award": _award,
    "fulfill": _fulfill,
    "revoke": _revoke,
    "run draw": _run_draw,
    **DEEDS,
}


def _caller(job: Job) -> Principal:
    return Principal(job["user"], PersonKind.REGISTERED, None, "token")


async def run_jobs(services: Services, jobs: Jobs) -> list[JsonObject]:
    """Do all at the same time; return what came of each, a value or the code of an error."""
    return await asyncio.gather(*(_outcome(services, job) for job in jobs))


async def _outcome(services: Services, job: Job) -> JsonObject:
    try:
        value = await _DEEDS[job["do"]](services, job)
    except MymozhemError as error:
        return {"error": error.code}
    return {"value": value}  # type: ignore[dict-item]  # what JSON can carry


# ------------------------------------------------------------------------------------ who does it


class Crowd(Protocol):
    """Somebody who does many jobs at once."""

    async def run(self, jobs: Jobs) -> list[JsonObject]:
        """Return what came of each job."""
        ...


class OneProcess:
    """All at once in this process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, jobs: Jobs) -> list[JsonObject]:
        return await run_jobs(self._services, jobs)


class TwoProcesses:
    """Every other job in a process of its own, on the same database."""

    def __init__(self, children: "Children", url: str, folder: Path) -> None:
        self._children = children
        self._place = {"url": url, "folder": str(folder)}

    async def run(self, jobs: Jobs) -> list[JsonObject]:
        halves = [list(jobs[0::2]), list(jobs[1::2])]
        orders = [{**self._place, "jobs": half} for half in halves]
        found = await asyncio.to_thread(self._children.do, orders)
        return [outcome for half in found for outcome in half]


class Children:
    """Two child processes that take orders until they are let go."""

    def __enter__(self) -> Self:
        self._children = [_Child(), _Child()]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in self._children:
            child.end()

    def do(self, orders: Sequence[Job]) -> list[list[JsonObject]]:
        """Give each child its order, and wait for both."""
        for child, order in zip(self._children, orders, strict=True):
            child.connection.send(order)
        return [child.connection.recv() for child in self._children]


class _Child:
    """A process that follows orders until it hears None."""

    def __init__(self) -> None:
        self.connection, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_follow_all, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # so that reading fails once the child has ended

    def end(self) -> None:
        with suppress(BrokenPipeError):  # it has ended by an error, which a test was told
            self.connection.send(None)
        self._process.join(HANG_TIMEOUT)
        self.connection.close()


def tally(outcomes: Sequence[JsonObject]) -> Counter[str]:
    """Count outcomes: by the code of the error, or as done."""
    return Counter(str(outcome.get("error", "done")) for outcome in outcomes)


def values(outcomes: Sequence[JsonObject]) -> list[Any]:
    """Return the values of what was done."""
    return [outcome["value"] for outcome in outcomes if "value" in outcome]


async def _follow(order: Job) -> list[JsonObject]:
    database = Database(order["url"], clock=LoadTolerantClock())
    await database.open()
    services = await services_of(database, Path(order["folder"]))
    try:
        return await run_jobs(services, order["jobs"])
    finally:
        await services.dispatcher.close()
        await database.close()


def _follow_all(connection: "Connection[Any, Any]") -> None:
    ENGINE_TUNING.install()
    while (order := connection.recv()) is not None:
        with asyncio.Runner(loop_factory=LoadTolerantLoop) as loop:
            connection.send(loop.run(_follow(order)))
