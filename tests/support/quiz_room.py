"""A hall for a quiz in a real house: questions of every type, people, and what everybody sees."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from pydantic import JsonValue
from sqlalchemy import select

import mymozhem_quiz
from mymozhem.auth.principal import Principal
from mymozhem.contract import JsonObject
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.coordination.join_batches import JoinResult
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission
from mymozhem.rooms.core.event_log import read_events
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.rooms import RoomRow
from mymozhem.rooms.views.snapshot import Snapshot, snapshot
from mymozhem.rooms.windows.submit import submit
from tests.support.host import HostHarness, principal


def single(name: str = "one", right: int = 1, **more: JsonValue) -> JsonObject:
    """Return a question with the options a, b and c; b is right unless told otherwise."""
    texts = ("Alpha", "Beta", "Gamma")
    options: list[JsonValue] = [
        {"text": text, "right": place == right} for place, text in enumerate(texts)
    ]
    return {"id": name, "type": "single", "text": f"{name}?", "options": options, **more}


def questions(count: int) -> list[JsonValue]:
    """Return so many questions whose right option is b."""
    return [single(f"question-{number}") for number in range(1, count + 1)]


FIRST = "1.0.0"
NEWEST = "2.0.0"
_WHEEL = Path(__file__).parents[1] / "releases" / f"mymozhem_quiz-{FIRST}-py3-none-any.whl"


def manifest_of(version: str) -> JsonObject:
    """Return the manifest of a version: the newest one, or the one that was released first."""
    if version == NEWEST:
        return mymozhem_quiz.app_manifest()
    with ZipFile(_WHEEL) as wheel:
        found: JsonObject = json.loads(wheel.read("mymozhem_quiz/manifest.json"))
        return found


def asking(asked: Sequence[JsonValue], version: str = NEWEST) -> JsonObject:
    """Return the setting in which the questions of a room lie."""
    return {"questions": list(asked)} if version == FIRST else {"rounds": in_one_round(asked)}


def in_one_round(asked: Sequence[JsonValue]) -> list[JsonValue]:
    """Return the setting of a quiz that asks these questions, in one round."""
    return [{"id": "r1", "title": "Round 1", "questions": list(asked)}]


#: a question of each type, what is right and what is wrong, both in words
EACH: Mapping[str, tuple[JsonObject, JsonValue, JsonValue]] = {
    "single": (single(), "Beta", "Gamma"),
    "multiple": (
        {
            "id": "several", "type": "multiple", "text": "Which two?",
            "options": [
                {"text": "Alpha", "right": True}, {"text": "Beta"}, {"text": "Gamma", "right": True}
            ],
        },
        ["Gamma", "Alpha"],
        ["Alpha"],
    ),
    "boolean": (
        {"id": "truth", "type": "boolean", "text": "Is it?", "answer": False}, "False", "True"
    ),
    "tolerance": (
        {"id": "size", "type": "number", "text": "How many?", "answer": 0.3, "tolerance": 0.1},
        0.4,
        0.41,
    ),
    "nearest": ({"id": "guess", "type": "number", "text": "How far?", "answer": 100}, 93, 108),
    "text": (
        {"id": "name", "type": "text", "text": "Who?", "accepted": ["Antoine de Saint-Exupéry"]},
        "  antoine DE\tSaint-exupéry",
        "Antoine",
    ),
    "order": (
        {
            "id": "sorted", "type": "order", "text": "In order!",
            "options": [{"text": text} for text in ("Alpha", "Beta", "Gamma", "Delta")],
        },
        ["Alpha", "Beta", "Gamma", "Delta"],
        ["Delta", "Alpha", "Beta", "Gamma"],
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """All that somebody is shown: the snapshot, the log, and both as one text."""

    state: Snapshot
    events: list[tuple[str, dict[str, Any]]]
    text: str

    @property
    def public(self) -> dict[str, Any]:
        """What the app shows to everybody; empty before the start."""
        return dict(self.state.state.public)

    @property
    def own(self) -> list[tuple[str, Any, Any]]:
        """Own submissions: of which window, and verdict and points as far as they are shown."""
        return [(one.window_id, one.verdict, one.points) for one in self.state.me.submissions]


@dataclass
class QuizRoom:
    """A room with a quiz, and people by their names."""

    host: HostHarness
    jobs: Jobs
    room: RoomRow
    people: dict[str, JoinResult] = field(default_factory=dict)

    async def let_in(self, *names: str) -> None:
        """Let people in."""
        for name in names:
            self.people[name] = await self.host.guest(self.room, name)
        await self.jobs.run_due()

    async def do(self, action: str, by: str | None = None, **payload: Any) -> Any:
        """Act as the organizer, or as somebody; return the reply once what is due is done."""
        acted = await perform(self.host.services, self.room.id, self.who(by), action, payload)
        await self.jobs.run_due()
        return acted.reply

    def who(self, name: str | None) -> Principal:
        """Return a caller by name; None is the organizer."""
        return self.host.organizer if name is None else principal(self.people[name])

    def id(self, name: str) -> str:
        """Return somebody's participant id."""
        return self.people[name].participant.id

    async def wait(self, milliseconds: int) -> None:
        """Let time pass, and what is due be done."""
        self.host.services.clock.advance(timedelta(milliseconds=milliseconds))  # type: ignore[attr-defined]  # it is held
        await self.jobs.run_due()

    async def answer(
        self, name: str, answer: JsonValue, number: int | None = None
    ) -> AcceptedSubmission:
        """Answer the open question, or one by its number, with ids or in words."""
        seen = await self.sees(name)
        window = seen.public.get("window") or f"q-{number}"
        (prompt,) = (one.prompt for one in seen.state.windows if one.id == window)
        payload = {"answer": in_ids(prompt, answer)}
        accepted = await submit(self.host.services, self.room.id, self.who(name), window, payload)
        await self.jobs.run_due()
        return accepted

    async def played(self, answers: Mapping[str, JsonValue], *, after: int = 1_000) -> None:
        """Show the next question, have it answered in this order, and close it."""
        await self.do("next" if (await self.sees()).public else "start")
        await self.wait(after)
        for name, answer in answers.items():
            await self.answer(name, answer)
        if (await self.sees()).public["status"] == "QUESTION_ACTIVE":
            await self.do("close")

    async def points(self, *names: str) -> list[int]:
        """Return the points of people, as they are stored."""
        async with self.host.services.database.read() as session:
            rows = [await session.get_one(ParticipantRow, self.id(name)) for name in names]
            return [row.points for row in rows]

    async def sees(self, name: str | None = None) -> Seen:
        """Return what somebody sees (None: the organizer): state, log, all of it as text."""
        services = self.host.services
        async with services.database.read() as session:
            seat = await find_membership(session, self.room.id, self.who(name))
            state: Snapshot = await snapshot(session, seat, now=services.clock.now())
            events = await read_events(session, seat, after=None)
            while found := await read_events(session, seat, after=events[-1].cursor):
                events += found
        told = [(event.type, dict(event.payload)) for event in events]
        text = json.dumps([state.model_dump(mode="json"), told], ensure_ascii=False)
        return Seen(state, told, text)

    async def told(self, kind: str, name: str | None = None) -> list[dict[str, Any]]:
        """Return the payloads of what was told, of one type."""
        return [payload for found, payload in (await self.sees(name)).events if found == kind]

    async def won(self) -> list[tuple[str, str]]:
        """Return who won which prize."""
        names = {joined.participant.id: name for name, joined in self.people.items()}
        async with self.host.services.database.read() as session:
            query = select(WinnerRow).where(WinnerRow.room_id == self.room.id)
            rows = await session.scalars(query.order_by(WinnerRow.id))
            return sorted((names[row.participant_id], row.prize_id) for row in rows)


def in_ids(prompt: JsonObject, answer: JsonValue) -> JsonValue:
    """Return an answer with the ids of options in the place of their texts."""
    options = prompt.get("options", [])
    assert isinstance(options, list)
    ids = {str(one["text"]): one["id"] for one in options if isinstance(one, dict)}
    if isinstance(answer, list):
        return [ids[str(one)] for one in answer]
    return ids.get(answer, answer) if isinstance(answer, str) else answer


async def make_quiz_room(
    host: HostHarness,
    jobs: Jobs,
    asked: JsonObject,
    names: Sequence[str],
    **settings: Any,
) -> QuizRoom:
    """Start a quiz with these questions, as `asking` gives them, and let people in."""
    room = await host.start("quiz", settings={**asked, **settings})
    quiz_room = QuizRoom(host, jobs, room)
    await quiz_room.let_in(*names)
    return quiz_room
