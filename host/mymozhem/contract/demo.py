"""How an app shows itself: sample rooms, and an evening that is played over HTTP.

An app that brings a demo names a module by an entry point in the group `mymozhem.demos`, under its
app id. The module has `SAMPLES`, a tuple of `SampleRoom`, and a coroutine function `play(evening)`;
either may be left out. Nothing here runs in production: `mymozhem seed` and `mymozhem demo` ask for
it.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import Field, JsonValue

from .enums import RoomStatus
from .fair import Verification
from .wire import Answer, JsonObject

GROUP = "mymozhem.demos"


class DemoFailed(Exception):
    """The evening did not go as it should; the sentence says what was seen instead."""


class SamplePrize(Answer):
    """A prize of a sample room."""

    name: str
    quantity: int = Field(default=1, ge=1)
    description: str = ""


class SampleAction(Answer):
    """An action of the app that the organizer takes once everybody is in.

    `answers` are what people then submit to the window that is open, in the order of their names;
    None for somebody who does not.
    """

    action: str
    payload: JsonObject = {}
    answers: tuple[JsonValue, ...] = ()


class SampleRoom(Answer):
    """A believable room; `name` tells it apart, so that filling in twice makes one.

    The host makes it, starts it unless `status` is DRAFT or CANCELLED, lets `people` in, takes
    `actions`, hands out the first `handed_over` wins, and ends it where `status` says so.
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
    """Somebody who came in by a room's code."""

    token: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of a call that may be refused; `code` is None where it was not.

    `data` are the data of the answer, or the details of the refusal.
    """

    code: str | None
    data: JsonValue


class Advance(Protocol):
    """Moves a progress bar on."""

    def __call__(self) -> None:
        """Note that one more is done."""


class Evening(Protocol):
    """A running host with its clients, as `play` gets it; every call travels over HTTP.

    Whatever does not go as it should raises `DemoFailed`; let it through.
    """

    @property
    def app_id(self) -> str:
        """The id under which the app runs here."""

    @property
    def organizer(self) -> str:
        """The token of a registered person who may make rooms."""

    @property
    def crowd(self) -> int:
        """How many people may come: 200, or as `--people` says."""

    async def call(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        token: str | None = None,
        key: str | None = None,
    ) -> JsonValue:
        """Return the `data` of an answer; `path` is below `/api/v1`, no token means a stranger.

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
        """Make a call that may be refused: return what came of it, raise only without an answer."""

    async def upload(self, path: str, content: bytes, *, token: str | None = None) -> JsonValue:
        """Post text as it lies in a file, in whatever encoding; return the data of the answer."""

    async def until(
        self, path: str, member: str, *values: str, token: str | None = None
    ) -> JsonValue:
        """Ask for `path` until `member` of its data has one of the values, and return the data."""

    async def known(self, moment: datetime) -> None:
        """Wait until a moment has passed, such as the one at which a public source is due."""

    async def guest(self, code: str, name: str) -> Guest:
        """Come into a room by its code, as anybody does with a phone."""

    async def guests(self, code: str, names: tuple[str, ...]) -> tuple[Guest, ...]:
        """Let many people come in, several at a time, in the order of their names."""

    def say(self, sentence: str) -> None:
        """Tell who watches what happened."""

    def progress(self, sentence: str, total: int) -> AbstractContextManager[Advance]:
        """Show how far something has come while it lasts."""

    def verify(self, record: JsonValue) -> Verification:
        """Verify a record of a draw without the host; one that is refused ends the evening."""

    def require(self, condition: object, sentence: str) -> None:
        """Raise `DemoFailed` with a sentence unless the condition holds."""
