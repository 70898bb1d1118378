"""Two hundred phones of people who are quick, hasty, late, wrong or gone."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import Attempt, DemoFailed, Evening, Guest
from mymozhem.contract.wire import Wire


class Habit(StrEnum):
    """What a person does in one round."""

    STEADY = "answer"
    EARLY = "answer before they may, and again"
    LATE = "answer after the end"
    TWICE = "change their mind"
    REPEATED = "send their answer twice, as a phone without an answer does"
    LOST = "lose the connection while they send, and send again"
    GONE = "send, and never read what comes"
    AWAY = "do not answer"
    BACK = "reload the page after their answer"


#: in every round, of `AMONG` people one has each of these habits, and the others are steady
SPECIAL = (
    Habit.EARLY, Habit.EARLY, Habit.LATE, Habit.TWICE, Habit.REPEATED, Habit.LOST, Habit.GONE,
    Habit.AWAY, Habit.BACK,
)  # fmt: skip
AMONG = 20
#: the habits in a round that closes automatically, when everybody has answered
COMPLETE = frozenset({Habit.STEADY, Habit.EARLY, Habit.TWICE, Habit.REPEATED, Habit.BACK})
#: people who always answer right, and last: a round is open until they do
FRIENDS = 3
#: one person of this many leaves the hall half-way
LEAVE_ONE_IN = 25


class Accepted(Wire):
    """The reply to a phone when its answer is stored."""

    accepted: bool
    submission_id: str
    elapsed_ms: int


@dataclass(frozen=True)
class Phone:
    """A person's phone; `skill` is how often they are right, `leaves` the last round they play."""

    guest: Guest
    skill: float
    leaves: int

    @property
    def id(self) -> str:
        """The participant id of the phone's owner."""
        return self.guest.participant_id


@dataclass
class Heard:
    """The replies that the phones received in one round, by person.

    `unread` are answers that were sent without waiting for the reply: they may count or not.
    """

    accepted: dict[str, tuple[str, Accepted]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def __contains__(self, person: object) -> bool:
        """Return whether a person's answer was accepted."""
        return person in self.accepted


def bring(guests: tuple[Guest, ...], draw: Random, *, rounds: int) -> tuple[Phone, ...]:
    """Give everybody a skill; some leave after half of the rounds, the friends never."""
    phones = []
    for place, guest in enumerate(guests):
        leaves = place >= FRIENDS and place % LEAVE_ONE_IN == LEAVE_ONE_IN - 1
        skill = 1.0 if place < FRIENDS else draw.uniform(0.3, 0.95)
        phones.append(Phone(guest, skill, rounds // 2 if leaves else rounds))
    return tuple(phones)


def habits(phones: tuple[Phone, ...], draw: Random, *, number: int, complete: bool) -> list[Habit]:
    """Return what each person does in a round; people who have left are away."""
    slots = [*SPECIAL, *[Habit.STEADY] * (AMONG - len(SPECIAL))]
    found: list[Habit] = []
    while len(found) < len(phones):
        draw.shuffle(slots)
        found += slots
    found[FRIENDS] = Habit.AWAY  # so that no round closes automatically by chance
    planned = [
        _planned(habit, friend=place < FRIENDS, complete=complete)
        for place, habit in enumerate(found[: len(phones)])
    ]
    return [
        habit if number <= phone.leaves else Habit.AWAY
        for phone, habit in zip(phones, planned, strict=True)
    ]


def _planned(habit: Habit, *, friend: bool, complete: bool) -> Habit:
    return Habit.STEADY if friend or (complete and habit not in COMPLETE) else habit


class Line:
    """Sends answers to one window."""

    def __init__(self, evening: Evening, path: str, heard: Heard) -> None:
        self._evening = evening
        self._path = path
        self.heard = heard

    async def send(self, phone: Phone, answer: str, *, key: str | None = None) -> Attempt:
        """Send an answer, and record it if it is accepted."""
        came = await self._post(phone, answer, key=key)
        if came.code is None:
            self._note(phone, answer, Accepted.model_validate(came.data))
        return came

    async def refused(self, phone: Phone, answer: str, code: str) -> None:
        """Send an answer that must be refused."""
        came = await self._post(phone, answer)
        if came.code != code:
            raise DemoFailed(f"An answer got {came.code or 'accepted'}, not {code}.")
        self.heard.seen[code] += 1

    async def twice(self, phone: Phone, answer: str) -> Attempt:
        """Send an answer and repeat the request: both get the same reply, and it counts once."""
        key = f"once-{phone.id}"
        came = await self.send(phone, answer, key=key)
        again = await self._post(phone, answer, key=key)
        if again != came:
            raise DemoFailed(f"A repeated answer got {again}, not {came}.")
        self.heard.seen["repeated"] += 1
        return came

    async def lost(self, phone: Phone, answer: str, *, after: float) -> Attempt:
        """Disconnect while an answer is in flight, then send it again: it counts once."""
        key = f"once-{phone.id}"
        await self._break_off(phone, answer, after=after, key=key)
        self.heard.seen["lost"] += 1
        return await self.send(phone, answer, key=key)

    async def gone(self, phone: Phone, answer: str, *, after: float) -> None:
        """Disconnect, and never learn whether the answer counts."""
        self.heard.unread[phone.id] = answer
        self.heard.seen["gone"] += 1
        await self._break_off(phone, answer, after=after, key=None)

    async def _break_off(self, phone: Phone, answer: str, *, after: float, key: str | None) -> None:
        sending = asyncio.ensure_future(self._post(phone, answer, key=key))
        await asyncio.wait({sending}, timeout=after)
        sending.cancel()
        await asyncio.wait({sending})
        if not sending.cancelled():
            sending.result()

    async def _post(self, phone: Phone, answer: str, *, key: str | None = None) -> Attempt:
        body: JsonObject = {"payload": {"answer": answer}}
        token = phone.guest.token
        return await self._evening.attempt("POST", self._path, body, token=token, key=key)

    def _note(self, phone: Phone, answer: str, accepted: Accepted) -> None:
        if phone.id in self.heard.accepted:
            raise DemoFailed(f"Two answers of {phone.id} were accepted.")
        self.heard.accepted[phone.id] = (answer, accepted)
