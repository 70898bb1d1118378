"""Schemathesis asks a really running host whatever its own description allows, and more.

The number of examples for each operation is MYMOZHEM_FUZZ_EXAMPLES.
"""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mymozhem.api.openapi import openapi_document
from mymozhem.clock import SystemClock
from mymozhem.db.all_tables import import_tables
from tests.api.test_access import OPENING
from tests.support.api_host import ApiHost, Caller, make_api_host
from tests.support.databases import SqliteTemplate
from tests.support.timing import HANG_TIMEOUT

EXAMPLES = int(os.environ.get("MYMOZHEM_FUZZ_EXAMPLES", "3"))
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


class Running:
    """A host in a thread of its own, with a room, and tokens for those who ask."""

    def __init__(self, folder: Any) -> None:
        self.tokens: dict[str, str | None] = {"anonymous": None}
        self.ids: dict[str, str] = {}
        self.document: Any = None
        self._folder = folder
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(HANG_TIMEOUT)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        template = SqliteTemplate(self._folder, import_tables())
        with ExitStack() as stack:
            (self._folder / "data").mkdir()
            url = stack.enter_context(template.copy(self._folder / "data"))
            async with make_api_host(url, SystemClock(), self._folder) as host:
                await self._fill(host)
                config = uvicorn.Config(
                    host.app, port=self.port, lifespan="off", log_config=None, ws="none"
                )
                server = uvicorn.Server(config)
                server.install_signal_handlers = lambda: None  # type: ignore[method-assign]  # not the main thread
                serving = asyncio.create_task(server.serve())
                while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
                    await asyncio.sleep(0.01)
                self._ready.set()
                await self._stop.wait()
                server.should_exit = True
                await serving

    async def _fill(self, host: ApiHost) -> None:
        room = await host.start(isPublic=True, prizes=[{"name": "Bike", "quantity": 5}])
        guest, joined = await host.guest(room, "Zed")
        self.tokens |= {"guest": guest.token, "organizer": host.organizer.token}
        self.ids = {"id": room["id"], "pid": joined["participant"]["id"], "appId": "stall"}
        self.ids["windowId"] = await self._answered_window(host, room, guest)
        self.document = openapi_document(host.app)

    async def _answered_window(self, host: ApiHost, room: Any, guest: Caller) -> str:
        """Have a window opened, answered, closed and shared; return its id."""
        path, name = f"/rooms/{room['id']}", str(OPENING["id"])
        shared = {"effect": "share", "windowId": name, "to": "public", "fields": ["payload"]}
        window = f"{path}/windows/{name}"
        for caller, where, body in (
            (host.organizer, f"{path}/actions/do", {"effects": [OPENING]}),
            (guest, f"{window}/submissions", {"payload": 7}),
            (host.organizer, f"{window}/close", None),
            (host.organizer, f"{path}/actions/do", {"effects": [shared]}),
        ):
            heard = await caller.post(where, body)
            assert heard.status == 200, heard.raw
            await host.work()
        return name


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("fuzz")) as host:
        yield host


@pytest.mark.parametrize("who", ["anonymous", "guest", "organizer"])
def test_no_request_gets_a_5xx_or_a_status_that_is_not_described(running: Running, who: str):
    schema = schemathesis.openapi.from_dict(running.document)
    token = running.tokens[who]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    for found in schema.get_all_operations():
        _fuzz(found.ok(), running, headers)


def _fuzz(operation: Any, running: Running, headers: dict[str, str]) -> None:
    address = f"http://127.0.0.1:{running.port}"

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @_given(operation)
    def ask(case: Any) -> None:
        for name in (case.path_parameters or {}).keys() & running.ids.keys():
            case.path_parameters[name] = running.ids[name]
        if case.query:  # of items with some fields left out, the description says the whole shape
            case.query.pop("fields", None)
        answer = case.call(base_url=address, headers=headers)
        case.validate_response(answer, checks=CHECKS)

    ask()


def _given(operation: Any) -> Any:
    return given(case=operation.as_strategy())
