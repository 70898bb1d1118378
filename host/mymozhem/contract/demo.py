"""Demo content of an app: sample rooms, and a scenario that runs over HTTP.

An app with a demo names a module by an entry point in the group `mymozhem.demos`, under its app id.
The module has `SAMPLES`, a tuple of `SampleRoom`, and a coroutine function `play(evening)`; either
may be left out. Only `mymozhem seed` and `mymozhem demo` use it; it never runs in production.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from pydantic import Field, JsonValue

from .enums import RoomStatus
from .fair import Verification
from .wire import Answer, JsonObject

GROUP = "mymozhem.demos"


class DemoFailed(Exception):
    """The demo got an unexpected result; the message says which."""


class SamplePrize(Answer):
    """A prize of a sample room."""

    name: str
    quantity: int = Field(default=1, ge=1)
    description: str = ""


class SampleAction(Answer):
    """An action of the app that the organizer calls after everybody has joined.

    `answers` are what the participants then submit to the open window, in the order of their names;
    None for a participant who does not submit.
    """

    action: str
    payload: JsonObject = {}
    answers: tuple[JsonValue, ...] = ()


class SampleRoom(Answer):
    """A believable room; `name` identifies it, so that seeding is idempotent.

    The host creates it, starts it unless `status` is DRAFT or CANCELLED, admits `people`, calls
    `actions`, marks the first `handed_over` wins as fulfilled, and ends the room if `status` says
    so.
    """

    name: str
    description: str = ""
    settings: JsonObject = {}
    status: RoomStatus = RoomStatus.ACTIVE
    is_public: bool = True
    prizes: tuple[SamplePrize, ...] = ()
    people: tuple[str, ...] = ()
    actions: tuple[SampleAction, ...] = ()
    handed_over: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class Guest:
    """A participant who joined with a room's code."""

    token: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome of a call that may be refused; `code` is None if it succeeded.

    `data` are the data of the response, or the details of the refusal, which `message` explains.
    """

    code: str | None
    data: JsonValue
    message: str = field(default="", compare=False)


class Advance(Protocol):
    """A callback that advances a progress bar."""

    def __call__(self) -> None:
        """Advance by one item."""


class Evening(Protocol):
    """A running host with its clients, as `play` gets it; every call goes over HTTP.

    Every unexpected result raises `DemoFailed`; do not catch it.
    """

    @property
    def app_id(self) -> str:
        """The id under which the app runs here."""

    @property
    def organizer(self) -> str:
        """The token of a registered user who may create rooms."""

    @property
    def crowd(self) -> int:
        """The maximum number of participants: 200, or the value of `--people`."""

    async def call(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        token: str | None = None,
        key: str | None = None,
    ) -> JsonValue:
        """Return the `data` of a response; `path` is below `/api/v1`, no token means anonymous.

        A `key` is sent as `Idempotency-Key`, so that the call can be repeated.
        """

    async def attempt(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        token: str | None = None,
        key: str | None = None,
    ) -> Attempt:
        """Make a call that may be refused and return the outcome.

        Raises `DemoFailed` only if there is no response.
        """

    async def upload(self, path: str, content: bytes, *, token: str | None = None) -> JsonValue:
        """Post the bytes of a text file, in any encoding; return the data of the response."""

    async def until(
        self, path: str, member: str, *values: str, token: str | None = None
    ) -> JsonValue:
        """Poll `path` until `member` of its data has one of the values; return the data."""

    async def known(self, moment: datetime) -> None:
        """Wait until a time has passed, such as when a public source is due."""

    async def guest(self, code: str, name: str) -> Guest:
        """Join a room by its code, as a participant does with a phone."""

    async def guests(self, code: str, names: tuple[str, ...]) -> tuple[Guest, ...]:
        """Let participants join, several at a time; return them in the order of names."""

    def say(self, sentence: str) -> None:
        """Show the audience of the demo a sentence about what happened."""

    def progress(self, sentence: str, total: int) -> AbstractContextManager[Advance]:
        """Show a progress bar while the context is open."""

    def verify(self, record: JsonValue) -> Verification:
        """Verify a record of a draw without the host; a refused record fails the demo."""

    def require(self, condition: object, sentence: str) -> None:
        """Raise `DemoFailed` with a sentence unless the condition holds."""
