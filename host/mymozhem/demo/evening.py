"""The evening that an app plays: real HTTP calls, told to whoever watches."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import aiohttp
import orjson
from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mymozhem.contract.demo import Advance, DemoFailed, Guest
from mymozhem.contract.fair import Verification, verify

PREFIX = "/api/v1"
#: people who come in at the same time
DOORS = 8
_PATIENCE_SECONDS = 20
_LOOK_AGAIN = 0.05


class HttpEvening:
    """An `Evening` on a host that runs elsewhere; `verified` counts the records that hold."""

    def __init__(
        self, client: aiohttp.ClientSession, console: Console, *, app_id: str, organizer: str
    ) -> None:
        self._client = client
        self._console = console
        self._began = time.monotonic()
        self._app_id = app_id
        self._organizer = organizer
        self.verified = 0

    @property
    def app_id(self) -> str:
        """The id under which the app runs here."""
        return self._app_id

    @property
    def organizer(self) -> str:
        """The token of a registered person who may make rooms."""
        return self._organizer

    async def call(
        self, method: str, path: str, body: JsonValue = None, *, token: str | None = None
    ) -> JsonValue:
        """Return the data of an answer, or raise with what the host said."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            async with self._client.request(
                method, f"{PREFIX}{path}", json=body, headers=headers
            ) as answer:
                return _data(f"{method} {path}", answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailed(f"{method} {path} got no answer: {error!r}") from error

    async def until(
        self, path: str, member: str, *values: str, token: str | None = None
    ) -> JsonValue:
        """Ask until a member of the data has one of the values."""
        seen: JsonValue = None
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while True:
                    data = await self.call("GET", path, token=token)
                    seen = data.get(member) if isinstance(data, dict) else None
                    if seen in values:
                        return data
                    await asyncio.sleep(_LOOK_AGAIN)
        except TimeoutError as error:
            wanted = " or ".join(values)
            raise DemoFailed(f"{path}: {member} is {seen!r}, not {wanted}.") from error

    async def known(self, moment: datetime) -> None:
        """Wait until a moment has passed."""
        while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110  the machine's clock may run behind the loop's
            await asyncio.sleep(left)

    async def guest(self, code: str, name: str) -> Guest:
        """Come into a room by its code."""
        entered = await self.call("POST", "/auth/guest", {"code": code, "name": name})
        match entered:
            case {"accessToken": str(token), "participant": {"id": str(participant_id)}}:
                return Guest(token, participant_id)
        raise DemoFailed(f"{name} came in and got no token.")

    async def guests(self, code: str, names: tuple[str, ...]) -> tuple[Guest, ...]:
        """Let many people come in, several at a time."""
        doors = asyncio.Semaphore(DOORS)
        with self.progress(f"{len(names)} people come in", len(names)) as advance:

            async def enter(name: str) -> Guest:
                async with doors:
                    guest = await self.guest(code, name)
                advance()
                return guest

            async with asyncio.TaskGroup() as group:
                entering = [group.create_task(enter(name)) for name in names]
        return tuple(task.result() for task in entering)

    def say(self, sentence: str) -> None:
        """Print a sentence and when it was said."""
        said = f"[dim]{self._elapsed():6.2f} s[/dim]  {escape(sentence)}"
        self._console.print(said, soft_wrap=True)

    def progress(self, sentence: str, total: int) -> AbstractContextManager[Advance]:
        """Show a bar; where nobody watches, a sentence when it is done."""
        return self._progress(sentence, total)

    def verify(self, record: JsonValue) -> Verification:
        """Verify a record without the host."""
        began = time.monotonic()
        verification = verify(record)
        spent = (time.monotonic() - began) * 1000
        self.require(verification.ok, f"A record does not hold: {verification.sentence}")
        self.verified += 1
        self.say(f"{verification.sentence} ({spent:.0f} ms, offline)")
        return verification

    def require(self, condition: object, sentence: str) -> None:
        """Raise `DemoFailed` unless the condition holds."""
        if not condition:
            raise DemoFailed(sentence)

    @contextmanager
    def _progress(self, sentence: str, total: int) -> Iterator[Advance]:
        began = time.monotonic()
        columns = (
            TextColumn("          {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(sentence, total=total)
            yield lambda: bars.advance(task)
        self.say(f"{sentence} ({time.monotonic() - began:.2f} s)")

    def _elapsed(self) -> float:
        return time.monotonic() - self._began


def _data(asked: str, status: int, raw: bytes) -> JsonValue:
    """Return the data of an envelope; DemoFailed with the host's sentence for an error."""
    if not raw and status < 400:  # noqa: PLR2004  HTTP's own border
        return None
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DemoFailed(f"{asked} was answered with {status} and no JSON.") from error
    match body:
        case {"data": data}:
            found: JsonValue = data
            return found
        case {"error": {"code": code, "message": message, "details": details}}:
            raise DemoFailed(f"{asked} was refused with {status} {code}: {message} {details}")
    raise DemoFailed(f"{asked} was answered with {status} and no envelope.")
