"""Sends invalid and repeated messages to the web service of an app."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from uuid import uuid4

import aiohttp

from mymozhem.contract import JsonObject
from mymozhem.contract.envelopes import CONTENT_TYPE, MAX_BODY_BYTES
from mymozhem.contract.signing import (
    ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    TOLERANCE_SECONDS,
    SharedKey,
    new_secret,
    parse_key,
    sign,
)
from mymozhem.dispatch.transports.base import AppTarget, HookCall
from mymozhem.dispatch.transports.model_copies import with_values
from mymozhem.dispatch.transports.webhook.request import body_of

from .app_lookup import App
from .recording_app import CallRecords, record_calls
from .sample_calls import SampleCall
from .web_server import Endpoint, Front, listening

#: so many askers ask the same question at once
ASKERS = 8
_SECONDS = 20
#: seconds by which a clock is off, within and beyond what is tolerated
WITHIN, BEYOND = TOLERANCE_SECONDS - 20, TOLERANCE_SECONDS + 60


@dataclass(frozen=True)
class Exchange:
    """A status, 0 if the connection broke, and the number of calls of the app."""

    status: int
    body: bytes = b""
    runs: int = 0


@dataclass
class Exchanges:
    """The outcome of each message, by its name; `counts` is True if calls of the app are seen."""

    by_name: dict[str, Exchange] = field(default_factory=dict)
    repeated: tuple[Exchange, Exchange] | None = None
    together: tuple[Exchange, ...] = ()
    counts: bool = False


async def exchange(app: App, endpoint: Endpoint, question: SampleCall) -> Exchanges:
    """Send a question to the served app in every wrong way, and in the right one."""
    notes, front, secret = CallRecords(), Front(), new_secret()
    front.app = await asyncio.to_thread(endpoint, record_calls(app, notes), (secret,))
    async with listening(front) as server:
        return await exchange_at(app, f"{server.address}/hooks", secret, question, notes)


async def exchange_at(
    app: App, url: str, secret: str, question: SampleCall, notes: CallRecords | None = None
) -> Exchanges:
    """Send a question to a service in every wrong way, and in the right one.

    Without `notes` of its calls, nobody counts how often the app runs.
    """
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        sender = _Sender(session, url, app, question, notes or CallRecords(), secret)
        return await sender.send_all()


class _Sender:
    """Sends one call in many forms."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        app: App,
        question: SampleCall,
        notes: CallRecords,
        secret: str,
    ) -> None:
        self._session = session
        self._url = url
        self._app = app
        self._question = question
        self._notes = notes
        key = parse_key(secret)
        self._key = key if isinstance(key, SharedKey) else SharedKey(secret.encode())
        # a service remembers ids, and may be checked more than once
        self._run, self._number = uuid4().hex[:8], 0

    async def send_all(self) -> Exchanges:
        found = Exchanges()
        by_name = found.by_name
        by_name["right"] = await self._post()
        found.counts = by_name["right"].runs > 0
        by_name["unsigned"] = await self._post(drop=(SIGNATURE_HEADER,))
        by_name["without a time"] = await self._post(drop=(TIMESTAMP_HEADER,))
        by_name["by a stranger"] = await self._post(key=SharedKey(b"x" * 32))
        by_name["changed on the way"] = await self._post(added=b" ")
        for name, seconds in (("old", -BEYOND), ("of the future", BEYOND),
                              ("a little old", -WITHIN), ("a little early", WITHIN)):  # fmt: skip
            by_name[name] = await self._post(skew=seconds)
        by_name["for an unknown hook"] = await self._post(change={"hook": "make_coffee"})
        by_name["of another contract"] = await self._post(change={"contract": "99.0"})
        by_name["nonsense"] = await self._post(body=b"nonsense")
        by_name["too large"] = await self._post(body=b'{"id":"' + b"x" * MAX_BODY_BYTES + b'"}')
        by_name["of another type"] = await self._post(kind="text/plain")
        found.repeated = await self._twice()
        by_name["another under a known id"] = await self._post(
            call_id="twice", change={"request": {"changed": True}}
        )
        found.together = await self._together()
        by_name["right again"] = await self._post()
        return found

    async def _twice(self) -> tuple[Exchange, Exchange]:
        first = await self._post(call_id="twice")
        return first, await self._post(call_id="twice", change={"attempt": 2})

    async def _together(self) -> tuple[Exchange, ...]:
        before = self._runs()
        asked = (self._post(call_id="together") for _ in range(ASKERS))
        found = await asyncio.gather(*asked)
        runs = self._runs() - before
        return tuple(Exchange(each.status, each.body, runs) for each in found)

    async def _post(
        self,
        *,
        call_id: str | None = None,
        change: JsonObject | None = None,
        body: bytes | None = None,
        added: bytes = b"",
        kind: str = CONTENT_TYPE,
        key: SharedKey | None = None,
        skew: int = 0,
        drop: tuple[str, ...] = (),
    ) -> Exchange:
        self._number += 1
        call_id = f"{self._run}-{call_id or self._number}"
        sent = self._body(call_id, change or {}) if body is None else body
        now = int(time.time()) + skew
        signed = sign((key or self._key,), message_id=call_id, timestamp=now, body=sent)
        headers = {
            "Content-Type": kind,
            ID_HEADER: call_id,
            TIMESTAMP_HEADER: str(now),
            SIGNATURE_HEADER: signed,
        }
        kept = {name: value for name, value in headers.items() if name not in drop}
        return await self._sent(sent + added, kept)

    async def _sent(self, body: bytes, headers: Mapping[str, str]) -> Exchange:
        before = self._runs()
        try:
            async with self._session.post(
                self._url, data=BytesIO(body), headers=headers
            ) as response:
                read = await response.read()
                return Exchange(response.status, read, self._runs() - before)
        except (aiohttp.ClientError, TimeoutError, ConnectionError):
            return Exchange(0, runs=self._runs() - before)

    def _runs(self) -> int:
        return len(self._notes.calls)

    def _body(self, call_id: str, change: JsonObject) -> bytes:
        question, manifest = self._question, self._app.manifest
        told = with_values(question.context, {"call_id": call_id, "deadline_ms": 10_000})
        call = HookCall(
            question.hook, AppTarget(self._app.app_id, manifest.version), told, question.request
        )
        body = body_of(call, platform_form=False)
        return json.dumps({**json.loads(body), **change}).encode() if change else body
