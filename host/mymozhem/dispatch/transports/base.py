"""The interface of transports: send one call to an app and return one reply."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from mymozhem.contract import Context, Hook
from mymozhem.contract.envelopes import Mode


@dataclass(frozen=True)
class AppTarget:
    """The app to call, in the version that the room is locked to."""

    app_id: str
    version: str


class Reply(NamedTuple):
    """The reply of an app: the result as JSON, or the refusal as JSON.

    `lock` is the digest of the room's lock that a remote app names, None if it names none.
    """

    data: bytes
    refused: bool = False
    lock: str | None = None


Late = Callable[[Reply], None]


class HookCall(NamedTuple):
    """One call of a hook of an app; `context.deadline_ms` is the time left when it is sent.

    `attempt` counts from 1 to at most `max_attempts`. `occurred_at` is when the event that the
    call is about happened; None means the time of the context. `late` receives a reply that
    arrives after the caller has its outcome.
    """

    hook: Hook[BaseModel, BaseModel]
    app: AppTarget
    context: Context
    request: BaseModel
    attempt: int = 1
    max_attempts: int = 1
    mode: Mode = Mode.LIVE
    occurred_at: datetime | None = None
    late: Late | None = None


class Transport(Protocol):
    """A way to reach an app.

    `send` raises `CallFailed` if there is no reply. The dispatcher cancels it at the deadline: it
    must then end immediately, whatever the app does.
    """

    async def send(self, call: HookCall) -> Reply:
        """Call the app and return its reply, not yet validated."""
        ...

    async def close(self) -> None:
        """Release all resources without waiting for any app. Idempotent."""
        ...
