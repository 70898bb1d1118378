"""Windows that everybody grabs at once: one winner, one close, one settlement, nothing after it.

By one process on SQLite, and by two processes on PostgreSQL.
"""

import asyncio
import random
from collections import Counter

import pytest
from sqlalchemy import select

from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.participants.add_people import NewPerson, add_people
from mymozhem.rooms.tables.events import RoomStreamRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.windows import SubmissionRow
from mymozhem.rooms.windows.queries import find_window
from tests.faults.kills import ROUNDS
from tests.faults.race import tally, values
from tests.faults.window_kills import gapless
from tests.support.apps.slow_window_app import ACCEPTS, POINTS, RULES
from tests.support.timing import HANG_TIMEOUT

MANY = 100
WORK = ({"do": "work"}, {"do": "work"})  # in each process, if there are two
JUDGED = {"judge": "rules", "rules": RULES, "points": POINTS}

# A SQLite file belongs to one process.
pytestmark = pytest.mark.parametrize(
    ("dialect", "processes"),
    [("sqlite", 1), ("postgresql", 2)],
    indirect=["dialect"],
)


class QuizRoom:
    """A room with a hundred people in it, and what is asked of the crowd there."""

    def __init__(self, host, crowd, processes):
        self.host, self._crowd, self._processes = host, crowd, processes

    async def fill(self, count=MANY):
        self.room = await self.host.start("asker")
        names = tuple(NewPerson(f"P {number}") for number in range(count))
        organizer = self.host.organizer
        ids = await add_people(self.host.services, self.room.id, organizer, names)
        async with self.host.services.database.read() as session:
            rows = await session.scalars(
                select(ParticipantRow).where(ParticipantRow.id.in_(ids)).order_by(ParticipantRow.id)
            )
            self.people = [row.user_id for row in rows]

    async def open(self, name="w", **wishes):
        effect = {"effect": "openWindow", "id": name, "accepts": ACCEPTS, **wishes}
        await perform(
            self.host.services, self.room.id, self.host.organizer, "do", {"effects": [effect]}
        )

    async def run(self, jobs):
        """Have all done at once; return what came of those that submit, and of the others."""
        order = [*jobs[0::2], *jobs[1::2]] if self._processes == 2 else jobs
        async with asyncio.timeout(HANG_TIMEOUT):
            outcomes = await self._crowd.run(jobs)
        pairs = list(zip(order, outcomes, strict=True))
        return [
            [found for job, found in pairs if (job["do"] == "submit") is submits]
            for submits in (True, False)
        ]

    def submit(self, person, number, name="w", **more):
        return {"do": "submit", "room": self.room.id, "user": self.people[person],
                "window": name, "n": number, **more}  # fmt: skip

    def steer(self, act, name="w", **more):
        return {"do": "steer", "room": self.room.id, "user": self.host.organizer.user_id,
                "window": name, "act": act, **more}  # fmt: skip

    def ask_app(self, *effects):
        return {"do": "ask app", "room": self.room.id, "user": self.host.organizer.user_id,
                "effects": list(effects)}  # fmt: skip

    async def rows(self, name="w"):
        async with self.host.services.database.read() as session:
            window = await find_window(session, self.room.id, name)
            rows = select(SubmissionRow).filter_by(window_id=window.id)
            return list(await session.scalars(rows.order_by(SubmissionRow.ordinal)))

    async def check_log(self):
        """Return the log, once it is shown to have no gap."""
        events = await self.host.events(self.room.id)
        async with self.host.services.database.read() as session:
            streams = (await session.scalars(select(RoomStreamRow))).all()
        gapless(events, streams)
        return events

    async def check_ended_once(self, outcomes, name="w"):
        """Whoever was accepted was counted and told to the app, once; return the reason."""
        rows, events = await self.rows(name), await self.check_log()
        ids = [row.id for row in rows]
        assert [row.ordinal for row in rows] == list(range(1, len(rows) + 1))
        assert sorted(values(outcomes)) == sorted(ids)
        said = Counter(event.type for event in events)
        assert said["window:tallying"] == said["window:closed"] == said["asker:settled"] == 1
        (told,) = [event.payload for event in events if event.type == "asker:settled"]
        assert told == {"window": name, "ids": ids}
        (tallying,) = [event for event in events if event.type == "window:tallying"]
        (closed,) = [event for event in events if event.type == "window:closed"]
        assert closed.payload["reason"] == tallying.payload["reason"]
        assert closed.payload["counted"] == len(rows)
        return closed.payload["reason"]

    async def points(self):
        async with self.host.services.database.read() as session:
            people = await session.scalars(select(ParticipantRow).filter_by(role="PARTICIPANT"))
            return {person.id: person.points for person in people if person.points}


@pytest.fixture
async def quiz_room(host, crowd, processes):
    quiz_room = QuizRoom(host, crowd, processes)
    await quiz_room.fill()
    return quiz_room


@pytest.mark.parametrize("judge", ["rules", "app"])
async def test_of_a_hundred_right_answers_the_first_in_commit_order_wins_and_no_other(
    quiz_room, judge
):
    await quiz_room.open(closeOn="firstRight", durationMs=60_000, **JUDGED | {"judge": judge})
    # every fifth is wrong, and does not close it
    jobs = [quiz_room.submit(person, 2 * person + (person % 5 == 0)) for person in range(MANY)]
    answers, _ = await quiz_room.run([*WORK, *jobs])
    assert tally(answers).keys() <= {"done", "WINDOW_CLOSED"}
    assert await quiz_room.check_ended_once(answers) == "firstRight"
    rows = await quiz_room.rows()
    right = [row for row in rows if row.payload["n"] % 2 == 0]
    assert right == rows[-1:]
    assert [row.verdict for row in rows] == ["wrong"] * (len(rows) - 1) + ["right"]
    bonus = Counter([rows[0].participant_id])
    assert await quiz_room.points() == Counter({right[0].participant_id: POINTS}) + bonus


async def test_who_submits_a_hundred_times_at_once_has_one_turn(quiz_room):
    await quiz_room.open("once")
    await quiz_room.open("latest", submissions="latest")
    await quiz_room.open("key", submissions="many")
    jobs = [
        job
        for number in range(MANY // 2)
        for job in (
            quiz_room.submit(0, number, "once"),
            quiz_room.submit(number % 2, number, "latest"),
            quiz_room.submit(0, 7, "key", key="k"),
        )
    ]
    outcomes, _ = await quiz_room.run(jobs)
    assert tally(outcomes) == {"done": MANY + 1, "ALREADY_ANSWERED": MANY // 2 - 1}
    assert len(await quiz_room.rows("once")) == len(await quiz_room.rows("key")) == 1
    latest = await quiz_room.rows("latest")
    last = {row.participant_id: row for row in latest}
    assert [row for row in latest if row.counts] == sorted(
        last.values(), key=lambda row: row.ordinal
    )
    assert len(latest) == MANY // 2
    assert len(last) == 2
    stored = {row.id for name in ("once", "latest", "key") for row in await quiz_room.rows(name)}
    assert set(values(outcomes)) == stored
    mismatch, _ = await quiz_room.run([quiz_room.submit(0, 8, "key", key="k")] * 2)
    assert tally(mismatch) == {"IDEMPOTENCY_MISMATCH": 2}
    await quiz_room.check_log()


async def test_whatever_closes_a_window_first_closes_it_alone(quiz_room):
    await quiz_room.open(closeOn="firstRight", durationMs=400, **JUDGED)
    close = quiz_room.ask_app({"effect": "closeWindow", "id": "w"})
    chance = random.Random(ROUNDS)
    answers = [quiz_room.submit(person, 1 if person < MANY - 2 else 2) for person in range(MANY)]
    others = [quiz_room.steer("close", wait=0.01 * wait) for wait in range(10)] + [close] * 5
    jobs = [*answers, *others]
    chance.shuffle(jobs)
    submitted, steered = await quiz_room.run([*WORK, *jobs])
    assert tally(submitted).keys() <= {"done", "WINDOW_CLOSED"}
    assert tally(steered) == {"done": len(steered)}
    reason = await quiz_room.check_ended_once(submitted)
    assert reason in {"firstRight", "organizer", "app", "deadline"}


async def test_a_window_that_is_steered_from_all_sides_ends_once(quiz_room):
    await quiz_room.open(durationMs=300, **JUDGED)
    chance = random.Random(ROUNDS)
    acts = [
        quiz_room.steer(act, wait=chance.uniform(0, 0.5), **more)
        for act, more in [
            ("pause", {}), ("resume", {}), ("extend", {"more": {"by_ms": 40}}),
        ] * 12
    ]  # fmt: skip
    ends = [quiz_room.steer("resume", wait=0.6), quiz_room.steer("close", wait=0.7)]
    # A pause moves the opening: what came before it and is looked at after it is to come again.
    jobs = [quiz_room.submit(person, person, patient=True) for person in range(MANY)] + acts
    chance.shuffle(jobs)
    submitted, steered = await quiz_room.run([*WORK, *ends, *ends, *jobs])
    assert tally(submitted).keys() <= {"done", "WINDOW_CLOSED", "WINDOW_PAUSED"}
    assert tally(steered).keys() <= {"done", "WINDOW_NOT_NOW"}
    assert await quiz_room.check_ended_once(submitted) in {"deadline", "organizer"}


async def test_a_window_voided_as_it_closes_and_settles_gives_nothing(quiz_room):
    await quiz_room.open(durationMs=200, **JUDGED)
    chance = random.Random(ROUNDS)
    voids = [
        quiz_room.steer("rejudge", wait=chance.uniform(0.1, 0.8), more={"void": True})
        for _ in range(4)
    ]
    answers = [quiz_room.submit(person, 2) for person in range(MANY)]
    submitted, steered = await quiz_room.run([*WORK, *voids, *answers])
    assert tally(submitted).keys() <= {"done", "WINDOW_CLOSED"}
    assert tally(steered) == {"done": len(steered)}
    events = await quiz_room.check_log()
    said = Counter(event.type for event in events)
    assert said["window:corrected"] == 1
    assert said["window:tallying"] <= 1
    assert said["window:closed"] == said["asker:settled"] <= 1
    rows = await quiz_room.rows()
    assert [row.credited for row in rows] == [0] * len(rows)
    bonus = {rows[0].participant_id: 1} if said["asker:settled"] and rows else {}
    assert await quiz_room.points() == bonus
