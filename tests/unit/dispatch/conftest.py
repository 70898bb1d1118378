"""Apps written inside tests, and one way to ask them."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pluggy
import pytest
from pydantic import BaseModel, JsonValue
from structlog.testing import capture_logs

from mymozhem.config import Settings
from mymozhem.contract import (
    ActionRequest,
    AppRef,
    Context,
    Hook,
    RoomData,
    RoomStatus,
    RoomView,
    Strategy,
)
from mymozhem.contract.hooks import HANDLE_ACTION, HOOKS, PROJECT, AppHooks
from mymozhem.dispatch import AppTarget, Budget, Dispatcher, Outcome
from mymozhem.dispatch.late_answers import LateAnswer
from mymozhem.dispatch.observers import CallObservers
from mymozhem.errors import NotFound
from mymozhem.observability.call_observer import Observed
from mymozhem.registry.endpoint import Endpoint
from mymozhem.registry.loaded_code import IsolatedCode
from tests.support.timing import LoadTolerantClock


@dataclass(frozen=True)
class FakePolicy:
    timeout_ms: int = 20_000
    on_failure: Strategy = Strategy.FAIL
    fallback: JsonValue = None


@dataclass(frozen=True)
class FakeManifest:
    """Declares every capability, and one policy for all hooks."""

    called: frozenset[str] = frozenset(hook.capability for hook in HOOKS)
    only_policy: FakePolicy = field(default_factory=FakePolicy)

    def policy(self, hook: Hook[BaseModel, BaseModel]) -> FakePolicy:
        return self.only_policy


@dataclass(frozen=True)
class FakeCode:
    plugin_manager: pluggy.PluginManager


class FakeApps:
    """The registry, as far as the dispatcher asks it: one version of each app."""

    def __init__(self) -> None:
        self.manifests: dict[str, FakeManifest] = {}
        self.codes: dict[str, FakeCode] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.isolated: dict[str, IsolatedCode] = {}
        self.stopped: set[str] = set()

    def add(self, app_id: str, plugin: object | None, manifest: FakeManifest) -> None:
        self.manifests[app_id] = manifest
        if plugin is not None:
            manager = pluggy.PluginManager(PROJECT)
            manager.add_hookspecs(AppHooks)
            manager.register(plugin)
            self.codes[app_id] = FakeCode(manager)

    def manifest(self, app_id: str, version: str) -> FakeManifest:
        if version != "1.0.0":
            raise NotFound(f"there is no version {version} of {app_id}")
        return self.manifests[app_id]

    def code_for(self, app_id: str, version: str) -> FakeCode | None:
        return self.codes.get(app_id)

    def endpoint(self, app_id: str, version: str) -> Endpoint | None:
        return self.endpoints.get(app_id)

    def isolated_for(self, app_id: str, version: str) -> IsolatedCode | None:
        return self.isolated.get(app_id)

    def is_stopped(self, app_id: str) -> bool:
        return app_id in self.stopped


def context(app_id: str = "counter") -> Context:
    return Context(
        contract="1.0",
        call_id="",
        app=AppRef(id=app_id, version="1.0.0"),
        room=RoomView(
            id="room_1",
            name="Party",
            status=RoomStatus.ACTIVE,
            locale="en",
            settings={"steps": [1, 2]},
            state=RoomData(private={"count": 1}),
        ),
        now=datetime(2030, 1, 1, tzinfo=UTC),
        deadline_ms=0,
    )


@dataclass
class Heard:
    """What the dispatcher has told of its calls."""

    calls: list[Observed] = field(default_factory=list)
    answers: list[LateAnswer] = field(default_factory=list)
    gone: list[AppTarget] = field(default_factory=list)

    def observed(self, call: Observed) -> None:
        self.calls.append(call)

    def late(self, answer: LateAnswer) -> None:
        self.answers.append(answer)

    @property
    def observers(self) -> CallObservers:
        return CallObservers(observer=self, late=self, gone=self.gone.append)


@dataclass
class DispatchHost:
    """A dispatcher over fake apps."""

    apps: FakeApps
    dispatcher: Dispatcher
    heard: Heard = field(default_factory=Heard)

    async def ask(
        self,
        app_id: str = "counter",
        hook: Hook[Any, Any] = HANDLE_ACTION,
        *,
        context: Context | None = None,
        request: BaseModel | None = None,
        budget: Budget | None = None,
        check: Callable[[Any], None] | None = None,
        call_id: str | None = None,
        version: str = "1.0.0",
        attempt: int = 1,
        max_attempts: int = 1,
    ) -> Outcome[Any]:
        return await self.dispatcher.call(
            hook,
            app=AppTarget(app_id, version),
            context=context or CONTEXT,
            request=request or ActionRequest(action="bump", payload={"by": 2}),
            budget=budget or Budget(LoadTolerantClock(), 30_000),
            check=check,
            call_id=call_id,
            attempt=attempt,
            max_attempts=max_attempts,
        )

    def add(
        self,
        plugin: object | None,
        app_id: str = "counter",
        *,
        capabilities: frozenset[str] = FakeManifest.called,
        **policy: Any,
    ) -> None:
        self.apps.add(app_id, plugin, FakeManifest(capabilities, FakePolicy(**policy)))


CONTEXT = context()


@pytest.fixture
def room_context() -> Context:
    return context()


@pytest.fixture
def bump() -> ActionRequest:
    return ActionRequest(action="bump", payload={"by": 2})


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[Any]]:
    """What was logged; drawing hundreds of tracebacks would take longer than the calls."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
async def host() -> AsyncIterator[DispatchHost]:
    apps, heard = FakeApps(), Heard()
    dispatcher = Dispatcher(
        apps, LoadTolerantClock(), Settings(_env_file=None), observers=heard.observers
    )
    yield DispatchHost(apps, dispatcher, heard)
    await dispatcher.close()
