"""An app that answers late: each hook waits in its thread until the test lets it go."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mymozhem.clock import HeldClock
from mymozhem.contract import Context, JsonObject, hookimpl
from mymozhem.db.unit_of_work import Database
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.late_answers import LateAnswer
from mymozhem.dispatch.observers import CallObservers
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.app_calls.late_answers import LateAnswers
from mymozhem.rooms.app_calls.recovery import AppRecovery
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.pending_calls import QueuedCallRow
from mymozhem.rooms.tables.rooms import RoomRow
from tests.support.apps.draw_app import in_order
from tests.support.host import HostHarness, make_host, make_services
from tests.support.timing import HANG_TIMEOUT

Answering = Callable[[Context, Any], object]

SAID = {"effect": "emit", "type": "sloth:said", "payload": {}}


@dataclass(frozen=True)
class Heard:
    """One call as the app saw it: `body` is all that is to be the same when it is asked again."""

    hook: str
    call_id: str
    body: str


class SlowApp:
    """`answers` by hook, else the simplest; while a hook `sleeps` its calls wait in threads."""

    #: the shortest that a manifest may ask for
    deadline_ms = 100

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: dict[str, Answering] = {}
        self._gates: dict[str, threading.Event] = {}

    @hookimpl
    def app_manifest(self) -> JsonObject:
        deadline: JsonObject = {"timeout": self.deadline_ms}
        queue: JsonObject = deadline | {"onFailure": "queue"}
        return {
            "id": "sloth",
            "meta": {"name": "Sloth", "version": "1.0.0", "description": "Answers late."},
            "capabilities": [
                "settingsValidation", "settingsImport", "participantRegistration",
                "winnerSelection", "answerValidation", "actions", "windows", "timers",
                "roomChanges",
            ],
            "permissions": [],
            "policies": {
                "windows": queue, "timers": queue, "roomChanges": queue, "winnerSelection": queue,
                "participantRegistration": deadline, "settingsValidation": deadline,
                "actions": deadline,
            },
            "changes": ["prize"],
            "settings": {"type": "object", "properties": {"words": {"type": "array"}}},
            "imports": {"words": ["lines"]},
            "actions": {
                "do": {"payload": {"type": "object"}},
                "vote": {"batch": True, "roles": ["PARTICIPANT"]},
            },
            "events": {"sloth:said": {"visibility": "public", "payload": {"type": "object"}}},
        }  # fmt: skip

    @hookimpl
    def validate_settings(self, context: Context, request: Any) -> object:
        return self._answer("validate_settings", context, request, None)

    @hookimpl
    def import_settings(self, context: Context, request: Any) -> object:
        return self._answer("import_settings", context, request, {"value": []})

    @hookimpl
    def judge_submission(self, context: Context, request: Any) -> object:
        return self._answer("judge_submission", context, request, {"verdict": "right"})

    @hookimpl
    def register_participant(self, context: Context, request: Any) -> object:
        return self._answer("register_participant", context, request, {"decision": "accept"})

    @hookimpl
    def prepare_draw(self, context: Context, request: Any) -> object:
        return self._answer("prepare_draw", context, request, {"algorithm": "app"})

    @hookimpl
    def select_winners(self, context: Context, request: Any) -> object:
        return self._answer("select_winners", context, request, in_order(context, request))

    @hookimpl
    def handle_action(self, context: Context, request: Any) -> object:
        effects = {"effects": request.payload.get("effects", [])}
        return self._answer("handle_action", context, request, effects)

    @hookimpl
    def close_window(self, context: Context, request: Any) -> object:
        return self._answer("close_window", context, request, {"effects": [SAID]})

    @hookimpl
    def on_timer(self, context: Context, request: Any) -> object:
        return self._answer("on_timer", context, request, {"effects": [SAID]})

    @hookimpl
    def on_room_changed(self, context: Context, request: Any) -> object:
        return self._answer("on_room_changed", context, request, {"effects": [SAID]})

    @contextmanager
    def sleeping(self, *hooks: str) -> Iterator[None]:
        """Let the calls of some hooks wait until the block is left."""
        gate = threading.Event()
        self._gates |= dict.fromkeys(hooks, gate)
        try:
            yield
        finally:
            for hook in hooks:
                del self._gates[hook]
            gate.set()

    def calls(self, hook: str) -> list[Heard]:
        """Return the calls of a hook in order."""
        return [each for each in self.heard if each.hook == hook]

    def _answer(self, hook: str, context: Context, request: Any, otherwise: object) -> object:
        gate, answer = self._gates.get(hook), self.answers.get(hook)
        shown = context.model_dump(mode="json", by_alias=True)
        del shown["deadlineMs"]
        body = json.dumps([shown, request.model_dump(mode="json", by_alias=True)])
        self.heard.append(Heard(hook, context.call_id, body))
        if gate is not None and not gate.wait(HANG_TIMEOUT):
            message = "the test never let it go"
            raise RuntimeError(message)
        return answer(context, request) if answer else otherwise


class Counting:
    """Passes late answers on, and lets a test wait until so many have come."""

    def __init__(self, inner: LateAnswers) -> None:
        self._inner = inner
        self._come = asyncio.Semaphore(0)

    def late(self, answer: LateAnswer, /) -> None:
        self._inner.late(answer)
        self._come.release()

    async def arrived(self, count: int) -> None:
        """Wait for so many more, and until each is written down."""
        async with asyncio.timeout(HANG_TIMEOUT):
            for _ in range(count):
                await self._come.acquire()
            await self._inner.settled()


@dataclass
class SlowHost:
    """A host with one app and one room, which is told of late answers and of how calls end."""

    host: HostHarness
    app: SlowApp
    late: LateAnswers
    recovery: AppRecovery
    jobs: Jobs
    arrivals: Counting
    clock: HeldClock
    room: RoomRow

    async def queued(self) -> list[QueuedCallRow]:
        """Return the calls that are kept."""
        async with self.host.services.database.read() as session:
            return list(await session.scalars(select(QueuedCallRow)))

    async def arrived(self, count: int = 1) -> None:
        """Wait until so many answers have come late and are written down."""
        await self.arrivals.arrived(count)

    async def do(self, *effects: JsonObject) -> None:
        """Have the app ask for effects."""
        await perform(
            self.host.services, self.room.id, self.host.organizer, "do", {"effects": [*effects]}
        )

    async def later(self, seconds: float) -> None:
        """Let time pass, and do what is due by then."""
        self.clock.advance(seconds)
        await self.jobs.run_due()

    async def told(self, *types: str) -> list[JsonObject]:
        """Return the payloads of events of the room."""
        events = await self.host.events(self.room.id, *types)
        return [event.payload for event in events]

    async def close(self) -> None:
        """End the host."""
        await self.jobs.stop()
        await self.recovery.close()
        await self.late.close()
        await self.host.services.dispatcher.close()

    async def restarted(self, app: SlowApp) -> "SlowHost":
        """End the host and return another one on the same database, with an app object anew."""
        await self.close()
        return await self.beside(app)

    async def beside(self, app: SlowApp) -> "SlowHost":
        """Return another host on the same database, as in another process."""
        old = self.host.services
        folder = old.settings.data_dir
        services = await make_services(old.database, self.clock, folder, {"sloth": app})
        return await _den(HostHarness(services, self.host.organizer), app, self.clock, self.room)


async def make_slow_host(
    database: Database, clock: HeldClock, folder: Path, app: SlowApp
) -> SlowHost:
    """Open a host on an empty database."""
    host = await make_host(database, clock, folder, {"sloth": app})
    return await _den(host, app, clock, await host.start("sloth"))


async def _den(host: HostHarness, app: SlowApp, clock: HeldClock, room: RoomRow) -> SlowHost:
    old, late, recovery = host.services, LateAnswers(), AppRecovery()
    await old.dispatcher.close()
    arrivals = Counting(late)
    observers = CallObservers(observer=recovery, late=arrivals)
    dispatcher = Dispatcher(old.catalog, clock, old.settings, observers=observers)
    host.services = replace(old, dispatcher=dispatcher)
    await late.open(host.services)
    await recovery.open(host.services)
    return SlowHost(host, app, late, recovery, Jobs(host.services), arrivals, clock, room)
