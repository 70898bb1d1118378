"""Signed questions to a served app, as the platform asks them, without a network."""

import asyncio
import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from mymozhem.contract import (
    ActionRequest,
    AppRef,
    Context,
    Emit,
    RoomData,
    RoomStatus,
    RoomView,
    hookimpl,
)
from mymozhem.contract.serve import serve
from mymozhem.contract.signing import SigningKey, parse_key, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = parse_key(SECRET)
NOW = 1_800_000_000
MOMENT = "2027-01-15T08:00:00Z"  # the same
BUMP = ActionRequest(action="bump", payload={"by": 2}).model_dump(mode="json", by_alias=True)


EMIT = Emit(type="counter:bumped", payload={"n": 3})
MANIFEST = {"id": "counter", "meta": {"name": "Counter", "version": "1.2.3"}, "permissions": []}


def app(answer=None, *, raises=None, hook="handle_action", coroutine=False):
    """Return an app whose one hook returns or raises this; `calls` is what it was asked."""
    made = types.SimpleNamespace(calls=[])

    def plain(context, request):
        made.calls.append((context, request))
        if raises is not None:
            raise raises
        return answer

    async def waiting(context, request):
        await asyncio.sleep(0)
        return plain(context, request)

    setattr(made, hook, hookimpl(waiting if coroutine else plain))
    made.app_manifest = hookimpl(lambda: MANIFEST)
    return made


#: hooks may be plain functions and coroutine functions
KINDS = pytest.mark.parametrize("coroutine", [False, True], ids=["plain", "coroutine"])


def context(**more: Any) -> dict[str, Any]:
    """Return a context as it travels."""
    given = Context(
        contract="1.0",
        call_id="call_1",
        app=AppRef(id="counter", version="1.0.0"),
        room=RoomView(
            id="room_1",
            name="Party",
            status=RoomStatus.ACTIVE,
            locale="en",
            settings={"steps": [1, 2]},
            state=RoomData(private={"count": 1}),
        ),
        now=MOMENT,
        deadline_ms=1,
        lock="ab" * 32,
    )
    return {**given.model_dump(mode="json", by_alias=True), **more}


def question(**more: Any) -> dict[str, Any]:
    """Return an envelope as it travels; fields by keyword."""
    return {
        "id": "call_1",
        "hook": "handle_action",
        "contract": "1.0",
        "attempt": 1,
        "budgetMs": 5_000,
        "mode": "live",
        "occurredAt": MOMENT,
        "context": context(),
        "request": BUMP,
        **more,
    }


def signed(
    body: bytes,
    *keys: SigningKey,
    message_id: str = "call_1",
    timestamp: int = NOW,
) -> dict[str, str]:
    """Return the headers of a question."""
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(
            keys or (KEY,), message_id=message_id, timestamp=timestamp, body=body
        ),
    }


@dataclass
class Heard:
    """What the endpoint answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the error; empty where there is none."""
        return self.json.get("error", {}).get("code", "")


@dataclass
class Served:
    """A served app, asked directly; `now` is its clock."""

    app: object
    keys: tuple[Any, ...] = (SECRET,)
    options: dict[str, Any] = field(default_factory=dict)
    now: float = NOW

    def __post_init__(self) -> None:
        self.endpoint = serve(
            self.app, keys=self.keys, **{"clock": lambda: self.now, **self.options}
        )

    async def ask(self, **fields: Any) -> Heard:
        """Ask a question that is signed as it should be; its fields by keyword."""
        asked = question(**fields)
        return await self.post(json.dumps(asked).encode(), message_id=asked["id"])

    async def post(
        self, body: bytes, headers: Mapping[str, str | None] = {}, **signing: Any
    ) -> Heard:
        """Post a body, signed; headers replace those of the signature, None takes one away."""
        given = {**signed(body, **{"timestamp": int(self.now), **signing}), **headers}
        kept = {name: value for name, value in given.items() if value is not None}
        return await self.send("POST", "/hooks", kept, body)

    async def send(
        self, method: str, path: str, headers: Mapping[str, str] = {}, body: bytes = b""
    ) -> Heard:
        """Send a request in pieces and return what came back."""
        half = len(body) // 2
        incoming = [
            {"type": "http.request", "body": body[:half], "more_body": True},
            {"type": "http.request", "body": body[half:], "more_body": False},
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> Any:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": raw}
        await self.endpoint(scope, receive, send)
        start, end = sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return Heard(start["status"], told, end["body"])
