"""A room of the evening over HTTP, as its organizer and a screen on the wall see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import JsonValue, TypeAdapter

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import DemoFailed, Evening, Guest
from mymozhem.contract.wire import Wire

T = TypeVar("T")
PAGE = 100
#: how many problems of an import are printed
SHOWN = 3
#: the two rounds of an evening, and the number of questions in the first one
HALVES = ("First half", "Second half")
FIRST_HALF = 5


class Room(Wire):
    """A room that was created."""

    id: str
    code: str


class Option(Wire):
    """An option of a question, as phones show it."""

    id: str
    text: str


class Part(Wire):
    """The round of a question, as phones show it."""

    number: int
    of: int
    title: str


class Prompt(Wire):
    """A question, as phones show it; here people's rounds are parts, and a round is a question."""

    round: int
    part: Part
    text: str
    type: str
    points: int
    seconds: int
    options: tuple[Option, ...]


class Choice(Wire):
    """An option of a question, as only organizers see it."""

    text: str
    right: bool = False


class Question(Wire):
    """A question with its answer, as only organizers see it."""

    id: str
    type: str
    text: str
    options: tuple[Choice, ...] = ()
    answer: bool | None = None


class Round(Wire):
    """A round of questions, as only organizers see it."""

    questions: list[JsonValue]


class Window(Wire):
    """The question that is open or was open."""

    id: str
    status: str
    prompt: Prompt
    left_ms: int
    answered: int
    of: int
    closed_by: str | None = None
    may_submit: bool


class Own(Wire):
    """A participant's own answer."""

    window_id: str
    payload: JsonObject
    verdict: str | None = None


class Me(Wire):
    """The participant's view of themselves."""

    submissions: tuple[Own, ...]


class State(Wire):
    """The state that a phone gets when it joins or reconnects."""

    windows: tuple[Window, ...]
    me: Me


class Row(Wire):
    """A submission as the organizer sees it after the close."""

    id: str
    participant_id: str
    payload: JsonObject
    elapsed_ms: int
    verdict: str
    points: int


class Place(Wire):
    """A place in the standings."""

    rank: int
    participant_id: str
    display_name: str
    points: int


class Person(Wire):
    """A person in the room, as the organizer sees them."""

    id: str
    role: str
    points: int


class Win(Wire):
    """A prize that a person won; without a draw it was given for a rank."""

    participant_id: str
    prize_id: str
    draw_id: str | None


class Named(Wire):
    """Anything with an id."""

    id: str


class Problem(Wire):
    """A line that could not be imported."""

    line: int
    code: str
    message: str


class Imported(Wire):
    """The result of an import."""

    problems: tuple[Problem, ...]


class Event(Wire):
    """An event of the room's log."""

    cursor: str
    type: str
    payload: JsonObject


@dataclass(frozen=True)
class HttpRoom:
    """A room with its organizer, a viewer as its screen, and its questions by their text."""

    evening: Evening
    room: Room
    screen: Guest
    questions: Mapping[str, Question]

    @property
    def path(self) -> str:
        """The path of the room in the API."""
        return f"/rooms/{self.room.id}"

    async def act(self, action: str, **payload: str | bool) -> None:
        """Run an action as the organizer."""
        path, token = f"{self.path}/actions/{action}", self.evening.organizer
        await self.evening.call("POST", path, {**payload}, token=token)

    async def window(self, number: int) -> Window:
        """Return the window of a round as the screen sees it."""
        seen = await self.evening.call("GET", self._window(number), token=self.screen.token)
        return Window.model_validate(seen)

    async def settled(self, number: int) -> Window:
        """Wait until a round is settled."""
        path, token = self._window(number), self.screen.token
        return Window.model_validate(
            await self.evening.until(path, "status", "closed", token=token)
        )

    async def rows(self, number: int) -> list[Row]:
        """Return the answers that count in a round, in commit order."""
        return await self._all(f"{self._window(number)}/submissions", list[Row])

    async def places(self) -> list[Place]:
        """Return the standings, as everybody sees them."""
        return await self._all(f"{self.path}/standings", list[Place], token=self.screen.token)

    async def people(self) -> list[Person]:
        """Return everybody in the room, with their points."""
        return await self._all(f"{self.path}/participants?sort=id", list[Person])

    async def wins(self) -> list[Win]:
        """Return who won what, in the order in which it was given."""
        return await self._all(f"{self.path}/winners?sort=createdAt,id", list[Win])

    async def prizes(self) -> list[str]:
        """Return the ids of the prizes, in the order in which they were added."""
        found = await self._all(f"{self.path}/prizes?sort=createdAt,id", list[Named])
        return [prize.id for prize in found]

    async def draws(self) -> list[str]:
        """Return the ids of the draws."""
        return [draw.id for draw in await self._all(f"{self.path}/draws", list[Named])]

    async def log(self) -> list[Event]:
        """Return all events that the screen received, in their order."""
        told: list[Event] = []
        after = ""
        while True:
            path = f"{self.path}/events?limit={PAGE}{after}"
            seen = await self.evening.call("GET", path, token=self.screen.token)
            some = TypeAdapter(list[Event]).validate_python(seen)
            told += some
            if len(some) < PAGE:
                return told
            after = f"&after={some[-1].cursor}"

    async def _all(self, path: str, items: type[list[T]], *, token: str | None = None) -> list[T]:
        """Return a complete list of the API, page by page."""
        found: list[T] = []
        ends = "&" if "?" in path else "?"
        page = 1
        while True:
            seen = await self.evening.call(
                "GET",
                f"{path}{ends}limit={PAGE}&page={page}",
                token=token or self.evening.organizer,
            )
            some = TypeAdapter(items).validate_python(seen)
            found += some
            if len(some) < PAGE:
                return found
            page += 1

    def _window(self, number: int) -> str:
        return f"{self.path}/windows/q-{number}"


async def open_http_room(
    evening: Evening,
    name: str,
    settings: Mapping[str, str | int],
    *,
    prizes: tuple[str, ...],
    questions: bytes,
) -> HttpRoom:
    """Create a room, import its questions, start it, and connect the screen."""
    body: JsonObject = {
        "name": name,
        "appId": evening.app_id,
        "appSettings": {**settings},
        "prizes": [{"name": prize} for prize in prizes],
    }
    made = await evening.call("POST", "/rooms", body, token=evening.organizer)
    room = Room.model_validate(made)
    path = f"/rooms/{room.id}"
    await _import(evening, path, questions)
    await _split(evening, path)
    await evening.call("PATCH", path, {"status": "ACTIVE"}, token=evening.organizer)
    screen = await evening.guest(room.code, "The screen")
    seat = f"{path}/participants/{screen.participant_id}"
    await evening.call("PATCH", seat, {"role": "VIEWER"}, token=evening.organizer)
    return HttpRoom(evening, room, screen, await _questions(evening, path))


async def _import(evening: Evening, path: str, questions: bytes) -> None:
    """Upload the bytes of a question file; report and skip what cannot be read."""
    path = f"{path}/import/rounds?format=opentrivia"
    done = Imported.model_validate(await evening.upload(path, questions, token=evening.organizer))
    for problem in done.problems[:SHOWN]:
        evening.say(f"  line {problem.line} {problem.code}: {problem.message}")
    evening.say(f"  {len(done.problems)} problems of the import.")


async def _split(evening: Evening, path: str) -> None:
    """Split the imported round in two: the last questions are for the second half."""
    (questions,) = await _rounds(evening, path)
    evening.say(f"  {len(questions)} questions imported, and put into two rounds.")
    halves = (questions[:FIRST_HALF], questions[FIRST_HALF:])
    rounds: list[JsonValue] = [
        {"id": f"r{number}", "title": title, "questions": half}
        for number, (title, half) in enumerate(zip(HALVES, halves, strict=True), start=1)
    ]
    body: JsonObject = {"appSettings": {"rounds": rounds}}
    await evening.call("PATCH", path, body, token=evening.organizer)


async def _questions(evening: Evening, path: str) -> dict[str, Question]:
    rounds = await _rounds(evening, path)
    found = (Question.model_validate(one) for part in rounds for one in part)
    return {question.text: question for question in found}


async def _rounds(evening: Evening, path: str) -> list[list[JsonValue]]:
    """Return the questions of each round, as only organizers see them."""
    match await evening.call("GET", path, token=evening.organizer):
        case {"appSettings": {"rounds": rounds}}:
            return [one.questions for one in TypeAdapter(list[Round]).validate_python(rounds)]
    raise DemoFailed("The organizer does not see the questions.")
