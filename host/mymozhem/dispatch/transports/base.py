"""The border: a transport carries one request to an app and brings one reply back, nothing more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from pydantic import BaseModel

from mymozhem.contract import Context, Hook
from mymozhem.contract.envelopes import Mode


@dataclass(frozen=True)
class AppTarget:
    """The app that is asked, in the version that the room is locked to."""

    app_id: str
    version: str


class Reply(NamedTuple):
    """What came back: the result as JSON, or the app's refusal as JSON.

    `lock` is the digest of the room's lock as a remote app was told it, where it says so.
    """

    data: bytes
    refused: bool = False
    lock: str | None = None


Late = Callable[[Reply], None]


class HookCall(NamedTuple):
    """One question to one app; `context.deadline_ms` is what is left when it is sent.

    `attempt` counts from 1 among at most `max_attempts`; `occurred_at` is when what the question is
    about happened, None for the time of the context. `late` gets an answer that
    comes after the caller was answered.
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
    """A way to an app.

    `send` raises `CallFailed` when there is no answer. The dispatcher cancels it at the deadline:
    it must then end at once, whatever the app does.
    """

    async def send(self, call: HookCall) -> Reply:
        """Ask the app and return its reply, not yet validated."""
        ...

    async def close(self) -> None:
        """Let go of everything without waiting for any app; twice is safe."""
        ...
