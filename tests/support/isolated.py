"""Environments made by hand in a moment, and calls to the code in them."""

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mymozhem.config import Settings
from mymozhem.contract import (
    ActionRequest,
    AppRef,
    Context,
    Hook,
    RoomData,
    RoomStatus,
    RoomView,
)
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.contract.serve import manifest_of
from mymozhem.dispatch import AppTarget, Budget, Dispatcher, Outcome
from mymozhem.dispatch.breakers.registry import Breakers
from mymozhem.dispatch.observers import CallObservers
from mymozhem.dispatch.transports.isolated import IsolatedTransport
from mymozhem.isolation.pool import Workers, WorkerStatus
from mymozhem.manifests.model import Manifest
from mymozhem.registry.isolated import environments
from mymozhem.registry.isolated.build import PATH_FILE, host_path
from mymozhem.registry.loaded_code import AppCode, IsolatedCode
from tests.support.timing import LoadTolerantClock
from tests.support.wheels import write_wheel

#: what an operator gives a worker, made short where a test waits for it; the longest start
SETTINGS = {"isolated_memory_mb": 512, "isolated_start_seconds": 120}

_CONTEXT = Context(
    contract="1.0",
    call_id="",
    app=AppRef(id="prober", version="1.0.0"),
    room=RoomView(
        id="room_1",
        name="Party",
        status=RoomStatus.ACTIVE,
        locale="en",
        settings={},
        state=RoomData(),
    ),
    now=datetime(2030, 1, 1, tzinfo=UTC),
    deadline_ms=0,
)


def environment(
    folder: Path,
    wheel: Path,
    manifest: Mapping[str, Any],
    *,
    app_id: str,
    python: str = sys.executable,
) -> IsolatedCode:
    """Make an environment below a folder as the registry does, at a tenth of the time."""
    name, version = wheel.name.split("-")[:2]
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    made = folder / environments.folder_name(name, version, digest)
    made.mkdir(parents=True)
    subprocess.run([python, "-m", "venv", "--without-pip", "--symlinks", made / "venv"], check=True)
    packages = environments.site_packages(made)
    (packages / PATH_FILE).write_text(host_path())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    environments.log_folder(made).mkdir()
    read = Manifest.of(dict(manifest), registered_as=app_id)
    return IsolatedCode(app_id, read, name.replace("_", "-"), version, digest, made)


PROBER = Path(__file__).with_name("prober.py")


def prober(folder: Path, version: str = "1.0.0", *, head: str = "", **more: str) -> IsolatedCode:
    """Make an environment of `tests/support/prober.py`; `head` runs when it is imported."""
    source = f"VERSION = {version!r}\n{head}\n{PROBER.read_text()}"
    apps = {"prober": "acme_prober"}
    wheel = write_wheel(
        folder / f"wheels-{version}", "acme-prober", version, {"acme_prober.py": source}, apps=apps
    )
    return environment(folder, wheel, prober_manifest(version), app_id="prober", **more)


def prober_manifest(version: str = "1.0.0") -> Mapping[str, Any]:
    names: dict[str, Any] = {"VERSION": version}
    exec(PROBER.read_text(), names)
    return manifest_of(Plain(names))


class Plain:
    """An object with what a module would have."""

    def __init__(self, names: Mapping[str, Any]) -> None:
        self.__dict__.update(names)


@dataclass
class Apps:
    """The registry, as far as the dispatcher asks it."""

    isolated: list[IsolatedCode] = field(default_factory=list)
    near: list[AppCode] = field(default_factory=list)

    def manifest(self, app_id: str, version: str) -> Manifest:
        codes: list[IsolatedCode | AppCode] = [*self.near, *self.isolated]
        return next(
            each.manifest for each in codes if each.app_id == app_id and each.serves(version)
        )

    def code_for(self, app_id: str, version: str) -> AppCode | None:
        found = (each for each in self.near if each.app_id == app_id and each.serves(version))
        return next(found, None)

    def isolated_for(self, app_id: str, version: str) -> IsolatedCode | None:
        found = (each for each in self.isolated if each.app_id == app_id and each.serves(version))
        return next(found, None)

    def endpoint(self, app_id: str, version: str) -> None:
        return None

    def is_stopped(self, app_id: str) -> bool:
        return False


@dataclass
class WorkerPoolHost:
    """A dispatcher whose apps run in workers."""

    apps: Apps
    workers: Workers
    dispatcher: Dispatcher

    @property
    def status(self) -> WorkerStatus:
        (status,) = self.workers.status()
        return status

    async def ask(
        self,
        action: str = "version",
        *,
        version: str = "1.0.0",
        budget_ms: int = 30_000,
        **payload: Any,
    ) -> Outcome[Any]:
        request = ActionRequest(action=action, payload=payload)
        return await self.call(HANDLE_ACTION, request, version=version, budget_ms=budget_ms)

    async def call(
        self,
        hook: Hook[Any, Any],
        request: Any,
        *,
        app_id: str = "prober",
        version: str = "1.0.0",
        budget_ms: int = 30_000,
        context: Context = _CONTEXT,
    ) -> Outcome[Any]:
        return await self.dispatcher.call(
            hook,
            app=AppTarget(app_id, version),
            context=context.model_copy(update={"app": AppRef(id=app_id, version=version)}),
            request=request,
            budget=Budget(LoadTolerantClock(), budget_ms),
        )

    async def reply(self, action: str = "version", **given: Any) -> Any:
        """Ask, and return what the caller of the action would get."""
        outcome = await self.ask(action, **given)
        assert outcome.result is not None, outcome
        return outcome.result.effects[0].data


@asynccontextmanager
async def den(
    *codes: IsolatedCode,
    observers: CallObservers | None = None,
    breaking: bool = False,
    **settings: Any,
) -> AsyncIterator[WorkerPoolHost]:
    """Open a dispatcher over these environments; `breaking` gives it breakers."""
    given = Settings(_env_file=None, **{**SETTINGS, **settings})
    workers = Workers(given)
    apps = Apps(list(codes))
    clock = LoadTolerantClock()
    breakers = Breakers(clock) if breaking else None
    transport = IsolatedTransport(apps, workers)
    dispatcher = Dispatcher(
        apps, clock, given, isolated=transport, breakers=breakers, observers=observers
    )
    try:
        yield WorkerPoolHost(apps, workers, dispatcher)
    finally:
        await dispatcher.close()
        await workers.close()


def is_there(seen: Mapping[str, Any]) -> bool:
    """Tell whether the folder of a worker that has looked around is there."""
    return Path(seen["folder"]).exists()


def parent(pid: int) -> int:
    """Return the parent of a process: of a worker, its keeper."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not reaped does not."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
