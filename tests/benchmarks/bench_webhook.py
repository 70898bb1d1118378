"""A webhook call of 1 KB against a plain aiohttp POST with an HMAC, 32 at a time.

The app is a process of its own that answers at once. Bare signs the finished body and reads the
answer; ours writes context and request, signs twice, sends, and takes the envelope of the answer
apart. Both share what aiohttp costs. Once more under the dispatcher, which adds deadline, policy
and the validation of the result.
"""

import asyncio
import hmac
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import uvloop

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.contract import ActionRequest, Context
from mymozhem.contract.envelopes import ListRef
from mymozhem.contract.hooks import HANDLE_ACTION
from mymozhem.contract.signing import SharedKey
from mymozhem.dispatch import AppTarget, Budget, Dispatcher
from mymozhem.dispatch.transports.base import HookCall
from mymozhem.dispatch.transports.model_copies import with_values
from mymozhem.dispatch.transports.webhook.request import body_of
from mymozhem.dispatch.transports.webhook.transport import WebhookTransport
from mymozhem.manifests.model import Webhook
from mymozhem.outbound import Guard, Outbound
from mymozhem.outbound.guard import LOOPBACK
from mymozhem.registry.endpoint import Endpoint
from tests.unit.dispatch.conftest import FakeApps, FakeManifest, context

from .apart import apart
from .figures import Ask, Figure, at_least, bound

CALLS = 640
ROUNDS = 60
AT_ONCE = 32
BYTES = 1_024
TARGET = 0.70
TARGET_P99_MS = 2.0
SECRET = b"s" * 32
APP = AppTarget("counter", "1.0.0")
_WEBHOOK = Webhook(path="/hook")


@dataclass(frozen=True)
class Remote(FakeManifest):
    """A manifest with one path for all hooks."""

    def webhook(self, capability: str) -> Webhook:
        """Return the path."""
        return _WEBHOOK


@dataclass
class Round:
    """How fast one round of calls was, and how long each took, in seconds."""

    per_second: float = 0.0
    spans: list[float] = field(default_factory=list)

    @property
    def p99(self) -> float:
        """The time that 99 of 100 calls took at most, in milliseconds."""
        return sorted(self.spans)[len(self.spans) * 99 // 100] * 1_000


class NoLists:
    """Nothing is so long here."""

    async def put(self, app_id: str, data: bytes, count: int) -> ListRef:
        """Refuse."""
        raise AssertionError


def measure() -> Iterable[Figure]:
    """Measure throughput at 32 calls at a time, and the time that 99 of 100 calls take."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure())


async def _measure() -> list[Figure]:
    async with (
        apart("tests.benchmarks.answerer", "", Path()) as app,
        AsyncExitStack() as stack,
    ):
        url = f"http://127.0.0.1:{app.said}"
        apps = FakeApps()
        apps.add(APP.app_id, None, Remote())
        key = SharedKey(SECRET)
        apps.endpoints[APP.app_id] = Endpoint(base_url=url, keys=(key,), shared=key)
        transport = WebhookTransport(apps, Outbound(Guard(LOOPBACK)), NoLists(), SystemClock())
        dispatcher = Dispatcher(apps, SystemClock(), Settings(), remote=transport)
        stack.push_async_callback(dispatcher.close)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        bare, ours, whole = await _rounds(
            partial(_bare, session, f"{url}/hook", body_of(_call(), platform_form=False)),
            partial(transport.send, _call()),
            partial(_asked, dispatcher),
        )
    what = f"webhook call, {BYTES} bytes, {AT_ONCE} at a time"
    return [
        at_least(what, TARGET, bare=bare.per_second, ours=ours.per_second, unit="/s"),
        bound(f"{what}, p99 added", TARGET_P99_MS, ours=max(0.0, ours.p99 - bare.p99), unit="ms"),
        at_least(
            f"{what}, under the dispatcher",
            TARGET,
            bare=bare.per_second,
            ours=whole.per_second,
            unit="/s",
        ),
    ]


async def _bare(session: aiohttp.ClientSession, url: str, body: bytes) -> None:
    signature = hmac.digest(SECRET, body, "sha256").hex()
    headers = {"Content-Type": "application/json", "X-Signature": signature}
    async with session.post(url, data=body, headers=headers) as response:
        await response.read()


async def _asked(dispatcher: Dispatcher) -> None:
    outcome = await dispatcher.call(
        HANDLE_ACTION,
        app=APP,
        context=_CONTEXT,
        request=_REQUEST,
        budget=Budget(SystemClock(), 30_000),
        call_id=_CONTEXT.call_id,
    )
    assert outcome.result is not None, outcome


async def _rounds(*asks: Ask) -> list[Round]:
    """Return the fastest round of each; they take turns, since the machine has other work too."""
    found = [[await _round(ask) for ask in asks] for _ in range(ROUNDS)]
    each = list(zip(*found, strict=True))
    fastest = [max(rounds, key=lambda one: one.per_second) for rounds in each]
    for best, rounds in zip(fastest, each, strict=True):
        best.spans = min(rounds, key=lambda one: one.p99).spans
    return fastest


async def _round(ask: Ask) -> Round:
    spans: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(_line(ask, spans) for _ in range(AT_ONCE)))
    return Round(len(spans) / (time.perf_counter() - started), spans)


async def _line(ask: Ask, spans: list[float]) -> None:
    for _ in range(CALLS // AT_ONCE):
        started = time.perf_counter()
        await ask()
        spans.append(time.perf_counter() - started)


def _call() -> HookCall:
    return HookCall(HANDLE_ACTION, APP, _CONTEXT, _REQUEST)


def _kilobyte(given: Context) -> ActionRequest:
    """Return a request that makes the body as long as it is to be."""
    empty = HookCall(HANDLE_ACTION, APP, given, ActionRequest(action="bump", payload={"text": ""}))
    missing = BYTES - len(body_of(empty, platform_form=False))
    return ActionRequest(action="bump", payload={"text": "x" * missing})


_CONTEXT = with_values(context(), {"call_id": "call_1", "deadline_ms": 5_000})
_REQUEST = _kilobyte(_CONTEXT)
