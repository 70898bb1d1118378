"""The scripted event of an app: real HTTP calls, printed for the user."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import aiohttp
import orjson
from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from mymozhem.contract.demo import Advance, Attempt, DemoFailed, Guest
from mymozhem.contract.fair import Verification, verify

PREFIX = "/api/v1"
#: maximum number of concurrent joins
DOORS = 8
#: default number of participants in events that any number can join
CROWD = 200
#: ends a demo that hangs; a busy machine needs much less
_PATIENCE_SECONDS = 120
_LOOK_AGAIN = 0.05


class HttpEvening:
    """An `Evening` on a host in another process; `verified` counts the verified records."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        console: Console,
        *,
        app_id: str,
        organizer: str,
        crowd: int = CROWD,
    ) -> None:
        self._client = client
        self._console = console
        self._began = time.monotonic()
        self._app_id = app_id
        self._organizer = organizer
        self._crowd = crowd
        self.verified = 0

    @property
    def app_id(self) -> str:
        """The id under which the app runs here."""
        return self._app_id

    @property
    def organizer(self) -> str:
        """The token of a registered user who may create rooms."""
        return self._organizer

    @property
    def crowd(self) -> int:
        """The maximum number of participants."""
        return self._crowd

    async def call(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        token: str | None = None,
        key: str | None = None,
    ) -> JsonValue:
        """Return the data of a response; raise DemoFailed with the host's message for an error."""
        asked = f"{method} {path}"
        return _data(asked, await self._ask(asked, _json(body), _headers(token, key=key)))

    async def attempt(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        token: str | None = None,
        key: str | None = None,
    ) -> Attempt:
        """Return the result of a call, also if it is a refusal."""
        asked = f"{method} {path}"
        return _attempt(asked, await self._ask(asked, _json(body), _headers(token, key=key)))

    async def upload(self, path: str, content: bytes, *, token: str | None = None) -> JsonValue:
        """Post text unchanged."""
        asked = f"POST {path}"
        return _data(asked, await self._ask(asked, content, _headers(token), media="text/plain"))

    async def until(
        self, path: str, member: str, *values: str, token: str | None = None
    ) -> JsonValue:
        """Poll until a member of the data has one of the values."""
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
        """Wait until a point in time has passed."""
        while (left := (moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110  the machine's clock may run behind the loop's
            await asyncio.sleep(left)

    async def guest(self, code: str, name: str) -> Guest:
        """Join a room by its code."""
        entered = await self.call("POST", "/auth/guest", {"code": code, "name": name})
        match entered:
            case {"accessToken": str(token), "participant": {"id": str(participant_id)}}:
                return Guest(token, participant_id)
        raise DemoFailed(f"{name} came in and got no token.")

    async def guests(self, code: str, names: tuple[str, ...]) -> tuple[Guest, ...]:
        """Join as many guests, several concurrently."""
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
        """Print a sentence with the elapsed time."""
        said = f"[dim]{self._elapsed():6.2f} s[/dim]  {escape(sentence)}"
        self._console.print(said, soft_wrap=True)

    def progress(self, sentence: str, total: int) -> AbstractContextManager[Advance]:
        """Show a progress bar; without a terminal, print a sentence at the end."""
        return self._progress(sentence, total)

    def verify(self, record: JsonValue) -> Verification:
        """Verify a record offline."""
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

    async def _ask(
        self,
        asked: str,
        content: bytes | None,
        headers: Mapping[str, str],
        *,
        media: str = "application/json",
    ) -> tuple[int, bytes]:
        """Return status and body of a response; raises DemoFailed if there is none."""
        method, _, path = asked.partition(" ")
        if content is not None:
            headers = {"Content-Type": media, **headers}
        try:
            async with self._client.request(
                method, f"{PREFIX}{path}", data=content, headers=headers
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailed(f"{asked} got no answer: {error!r}") from error

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


def _headers(token: str | None, *, key: str | None = None) -> dict[str, str]:
    given = {"Authorization": f"Bearer {token}" if token else None, "Idempotency-Key": key}
    return {name: value for name, value in given.items() if value is not None}


def _json(body: JsonValue) -> bytes | None:
    return None if body is None else orjson.dumps(body)


def _data(asked: str, answer: tuple[int, bytes]) -> JsonValue:
    """Return the data of an envelope; raises DemoFailed with the host's message for an error."""
    status, raw = answer
    match _envelope(asked, status, raw):
        case {"data": data}:
            found: JsonValue = data
            return found
        case {"error": {"code": code, "message": message, "details": details}}:
            raise DemoFailed(f"{asked} was refused with {status} {code}: {message} {details}")
    raise DemoFailed(f"{asked} was answered with {status} and no envelope.")


def _attempt(asked: str, answer: tuple[int, bytes]) -> Attempt:
    """Return the data or the error of an envelope; raises DemoFailed for a fault of the host."""
    status, raw = answer
    if status < 500:  # noqa: PLR2004  HTTP's own border
        match _envelope(asked, status, raw):
            case {"error": {"code": str(code), "details": details, **rest}}:
                return Attempt(code, details, str(rest.get("message", "")))
    return Attempt(None, _data(asked, answer))


def _envelope(asked: str, status: int, raw: bytes) -> JsonValue:
    if not raw and status < 400:  # noqa: PLR2004  HTTP's own border
        return {"data": None}
    try:
        body: JsonValue = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DemoFailed(f"{asked} was answered with {status} and no JSON.") from error
    return body
