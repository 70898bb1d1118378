"""An app's own tests over both transports: its functions, asked as a web service asks them.

::

    # conftest.py
    from mymozhem.testing import over_both_transports

    transport = over_both_transports("mymozhem_bell")
"""

import asyncio
import hashlib
import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from types import ModuleType
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from mymozhem.clock import SystemClock
from mymozhem.contract import CONTRACT_VERSION, AppRef, Context, Hook, Refusal, Refuse
from mymozhem.contract.envelopes import ListRef
from mymozhem.contract.hooks import HOOKS, PROJECT
from mymozhem.contract.serve import manifest_of, remote_manifest, serve
from mymozhem.contract.serving.asgi_messages import AsgiApp, Receive, Scope, Send
from mymozhem.contract.signing import SharedKey, new_secret, parse_key
from mymozhem.dispatch.reply_codec import decode
from mymozhem.dispatch.transports.base import AppTarget, HookCall
from mymozhem.dispatch.transports.webhook.transport import WebhookTransport
from mymozhem.manifests.model import Manifest
from mymozhem.outbound import Guard, Outbound
from mymozhem.registry.endpoint import Endpoint

from .web_server import listening

T = TypeVar("T")

_MARK = f"{PROJECT}_impl"
_HOOKS: dict[str, Hook[BaseModel, BaseModel]] = {hook.name: hook for hook in HOOKS}
_SERVED: pytest.StashKey[dict[str, "FarApp"]] = pytest.StashKey()
_LOOPBACK = IPv4Network("127.0.0.0/8")


def over_both_transports(package: str) -> Any:  # noqa: ANN401  what pytest makes of a function
    """Return an autouse fixture that runs each test twice: as it is, and over signed webhooks.

    The second time the app is served on loopback, and its hooks, wherever tests have imported them
    (or the package itself), are asked there. What comes back is what the host would make of it:
    the hook's result, or `Refuse` raised.
    """

    @pytest.fixture(autouse=True, params=["inprocess", "webhook"])
    def transport(request: pytest.FixtureRequest) -> Iterator[str]:
        if request.param == "inprocess":
            yield "inprocess"
            return
        app = importlib.import_module(package)
        far = _far_app(request.config, app)
        with pytest.MonkeyPatch.context() as patch:
            for module in _importers(request, app):
                for name, value in list(vars(module).items()):
                    if value is app:
                        patch.setattr(module, name, far)
                    elif _is_hook(app, value):
                        patch.setattr(module, name, getattr(far, value.__name__))
            yield "webhook"

    return transport


def _far_app(config: pytest.Config, app: ModuleType) -> "FarApp":
    """Return the served app, one for all tests of a run."""
    known = config.stash.setdefault(_SERVED, {})
    if app.__name__ not in known:
        stack = ExitStack()
        known[app.__name__] = stack.enter_context(served(app))
        config.add_cleanup(stack.close)
    return known[app.__name__]


class FarApp:
    """An app behind webhooks, with the functions that its module has; the rest is the module's."""

    def __init__(self, app: ModuleType, ask: Callable[[HookCall], object]) -> None:
        self._app = app
        self._ask = ask

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the module has
        value = getattr(self._app, name)
        return self._far(value) if _is_hook(self._app, value) else value

    def _far(self, function: Callable[..., object]) -> Callable[..., object]:
        hook, signature = _HOOKS[function.__name__], inspect.signature(function)

        def ask(*args: object, **kwargs: object) -> object:
            given = signature.bind(*args, **kwargs).arguments
            context = given.get("context") or _somewhere()
            request = given.get("request") or hook.request()
            # The same question has the same id, as an app that remembers its answers must see it.
            said = f"{hook.name}{context.model_dump_json()}{request.model_dump_json()}"
            call_id = f"call_{hashlib.sha256(said.encode()).hexdigest()[:40]}"
            told = context.model_copy(update={"call_id": call_id, "deadline_ms": hook.deadline_ms})
            return self._ask(
                HookCall(hook, AppTarget(told.app.id, told.app.version), told, request)
            )

        async def ask_later(*args: object, **kwargs: object) -> object:
            return await asyncio.to_thread(ask, *args, **kwargs)

        return ask_later if inspect.iscoroutinefunction(function) else ask


@contextmanager
def served(app: ModuleType) -> Iterator[FarApp]:
    """Serve an app on loopback, and yield a client for it; blocking, usable from any thread."""
    with _loop() as run, _closing(run) as stack:
        secret = new_secret()
        lists = _Lists(serve(app, keys=[secret]))
        server = run(stack.enter_async_context(listening(lists)))
        lists.address = server.address
        remotes = _Remotes(app, server.address, secret)
        outbound = Outbound(Guard((_LOOPBACK,)))
        transport = WebhookTransport(remotes, outbound, lists, SystemClock())
        stack.push_async_callback(transport.close)

        def ask(call: HookCall) -> object:
            answer = decode(call.hook, run(transport.send(call)))
            if isinstance(answer, Refusal):
                raise Refuse(answer.code, answer.message, answer.details)
            return answer

        yield FarApp(app, ask)


class _Remotes:
    """One remote app, as the registry would know it."""

    def __init__(self, app: ModuleType, address: str, secret: str) -> None:
        self._manifest = Manifest.of(remote_manifest(manifest_of(app), address))
        key = parse_key(secret)
        if not isinstance(key, SharedKey):  # new secrets are shared ones
            raise TypeError
        self._endpoint = Endpoint(address, (key,), key)

    def manifest(self, _app_id: str, _version: str, /) -> Manifest:
        return self._manifest

    def endpoint(self, _app_id: str, _version: str, /) -> Endpoint:
        return self._endpoint


class _Lists:
    """Lists too long for a request: kept here, and fetched by the app from the same server."""

    def __init__(self, app: AsgiApp) -> None:
        self.address = ""
        self._app = app
        self._kept: dict[str, bytes] = {}

    async def put(self, _app_id: str, data: bytes, count: int) -> ListRef:
        digest = hashlib.sha256(data).hexdigest()
        self._kept[f"/lists/{digest}"] = data
        return ListRef(
            url=f"{self.address}/lists/{digest}",
            digest=digest,
            count=count,
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kept = self._kept.get(str(scope.get("path")))
        if kept is None:
            await self._app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": kept})


@contextmanager
def _loop() -> Iterator[Callable[[Coroutine[Any, Any, T]], T]]:
    """Run an event loop in a thread; yield a function that runs a coroutine in it and waits."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="web service", daemon=True)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(timeout=60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextmanager
def _closing(run: Callable[[Coroutine[Any, Any, Any]], Any]) -> Iterator[AsyncExitStack]:
    stack = AsyncExitStack()
    try:
        yield stack
    finally:
        run(stack.aclose())


def _importers(request: pytest.FixtureRequest, app: ModuleType) -> Iterator[ModuleType]:
    """Yield the modules of tests that may have imported names of the app."""
    package = app.__name__
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        own = name == package or name.startswith(f"{package}.")
        if not own and file.startswith(str(request.config.rootpath)) and "tests" in file:
            yield module


def _is_hook(app: ModuleType, value: object) -> bool:
    return (
        inspect.isfunction(value)
        and hasattr(value, _MARK)
        and value.__name__ in _HOOKS
        and getattr(app, value.__name__, None) is value
    )


def _somewhere() -> Context:
    return Context(
        contract=CONTRACT_VERSION,
        call_id="",
        app=AppRef(id="app", version="1.0.0"),
        now=datetime.now(UTC),
        deadline_ms=0,
    )
