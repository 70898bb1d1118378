"""One question with everybody in the hall: asked, answered in every possible way, closed."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from random import Random

from mymozhem.contract.demo import Attempt, DemoFailed

from .http_room import HttpRoom, Question, State, Window
from .simulated_players import FRIENDS, Habit, Heard, Line, Phone

#: people answer within this many seconds; people who wait for the others answer later
SPREAD = 0.3
#: people who disconnect do so after this fraction of their answer's delay
SHORT = 0.1
#: milliseconds for which a question is only shown; nobody can have read it that fast
COUNTDOWN_MS, MIN_ELAPSED_MS = 300, 200
OPENS_AFTER = (COUNTDOWN_MS + MIN_ELAPSED_MS + 10) / 1_000
#: habits that may be right in `first`, where a right answer ends the round
PATIENT = frozenset({Habit.STEADY, Habit.EARLY, Habit.REPEATED, Habit.LOST})


@dataclass(frozen=True)
class Asked:
    """A question that is being played, and who does what; `complete` if everybody answers."""

    stage: HttpRoom
    mode: str
    window: Window
    turns: tuple["Turn", ...]
    complete: bool

    @property
    def number(self) -> int:
        """The number of the round."""
        return self.window.prompt.round

    @property
    def path(self) -> str:
        """The path of its window in the API."""
        return f"{self.stage.path}/windows/{self.window.id}"


@dataclass(frozen=True)
class Turn:
    """What a person does in a round, and when; `last` ones wait for all others.

    `answer` is their answer, `other` what they change it to, `wrong` a guess that comes too early.
    """

    phone: Phone
    habit: Habit
    answer: str
    other: str
    wrong: str
    delay: float
    last: bool


def right_option(question: Question, window: Window) -> str:
    """Return the id of the option that is right."""
    if question.type == "boolean":
        return str(question.answer).lower()
    return option_of(window, next(one.text for one in question.options if one.right))


def option_of(window: Window, text: str) -> str:
    """Return the id of an option by its text."""
    return next(one.id for one in window.prompt.options if one.text == text)


def turns(
    people: Iterable[tuple[Phone, Habit]], window: Window, *, mode: str, right: str, draw: Random
) -> tuple[Turn, ...]:
    """Decide who is right, who is wrong and how, and when they answer."""
    wrong = [one.id for one in window.prompt.options if one.id != right]
    found = []
    for place, (phone, habit) in enumerate(people):
        knows = draw.random() < phone.skill and (mode != "first" or habit in PATIENT)
        hasty = draw.choice(wrong)
        answer = right if knows else hasty
        other = draw.choice([one.id for one in window.prompt.options if one.id != answer])
        last = place < FRIENDS or (mode == "first" and knows)
        found.append(Turn(phone, habit, answer, other, hasty, draw.uniform(0, SPREAD), last))
    draw.shuffle(found)
    return tuple(found)


async def ask(asked: Asked) -> Heard:
    """Let everybody act, and have the question closed; return the replies that phones received."""
    heard = Heard()
    line = Line(asked.stage.evening, f"{asked.path}/submissions", heard)
    await _together(_early(line, turn) for turn in asked.turns if turn.habit is Habit.EARLY)
    await asyncio.sleep(OPENS_AFTER)
    for last in (False, True):
        now = [turn for turn in asked.turns if turn.last is last and turn.phone.id not in heard]
        await _together(_turn(asked, line, heard, turn) for turn in now)
    await _close(asked)
    late = [turn for turn in asked.turns if turn.habit is Habit.LATE]
    await _together(line.refused(turn.phone, turn.answer, "WINDOW_CLOSED") for turn in late)
    return heard


async def _early(line: Line, turn: Turn) -> None:
    """Send a wrong guess before the question opens; if the host is slow, it is an answer."""
    came = await line.send(turn.phone, turn.wrong)
    if came.code is not None:
        _require(came, "TOO_EARLY")
        line.heard.seen["early"] += 1


async def _turn(asked: Asked, line: Line, heard: Heard, turn: Turn) -> None:
    await asyncio.sleep(0 if turn.last else turn.delay)
    came = await _act(asked, line, turn)
    if came is None or came.code is None:
        return
    _require(came, "WINDOW_CLOSED" if turn.last and asked.mode == "first" else None)
    heard.seen["beaten"] += 1


async def _act(asked: Asked, line: Line, turn: Turn) -> Attempt | None:
    phone, answer = turn.phone, turn.answer
    match turn.habit:
        case Habit.LATE | Habit.AWAY:
            return None
        case Habit.GONE:
            await line.gone(phone, answer, after=turn.delay * SHORT)
            return None
        case Habit.REPEATED:
            return await line.twice(phone, answer)
        case Habit.LOST:
            return await line.lost(phone, answer, after=turn.delay * SHORT)
    came = await line.send(phone, answer)
    if turn.habit is Habit.TWICE:
        await line.refused(phone, turn.other, "ALREADY_ANSWERED")
    if turn.habit is Habit.BACK:
        await back(asked.stage, asked.window, phone, answer)
        line.heard.seen["back"] += 1
    return came


async def back(stage: HttpRoom, window: Window, phone: Phone, answer: str | None) -> None:
    """Check that a phone that reloads the page shows the open question and its own answer."""
    evening, path = stage.evening, f"{stage.path}/state"
    state = State.model_validate(await evening.call("GET", path, token=phone.guest.token))
    left = {one.id: one.left_ms for one in state.windows}.get(window.id, 0)
    limit = window.prompt.seconds * 1_000
    evening.require(0 < left <= limit, f"Who comes back has {left} ms left, of {limit}.")
    mine = [one for one in state.me.submissions if one.window_id == window.id]
    told = [(one.payload.get("answer"), one.verdict) for one in mine]
    expected = [] if answer is None else [(answer, None)]
    evening.require(told == expected, f"Who comes back sees {told} as their own, not {expected}.")


async def _close(asked: Asked) -> None:
    """Wait until the question closes automatically, or else close it early as the organizer."""
    if asked.mode != "first" and not asked.complete:
        await asked.stage.act("close")
    window = await asked.stage.settled(asked.number)
    if asked.mode == "first":
        _same(asked, window.closed_by, "firstRight")
    elif asked.complete:
        _same(asked, window.closed_by, "everyoneAnswered")


def _same(asked: Asked, seen: str | None, expected: str) -> None:
    if seen != expected:
        raise DemoFailed(f"Round {asked.number} was closed by {seen}, not {expected}.")


def _require(came: Attempt, code: str | None) -> None:
    if came.code != code:
        raise DemoFailed(f"An answer got {came.code} {came.data}, not {code or 'accepted'}.")


async def _together(doing: Iterable[Coroutine[None, None, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for each in doing:
            group.create_task(each)
