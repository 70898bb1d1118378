"""The big evening: ten questions in each mode, with a hall full of phones, and every score checked.

The questions come in two halves, which organizers and phones call rounds; here a round is one
question.

The evening records the replies to the phones, computes the scores with rules of its own, and
compares them with the scores of the host.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from mymozhem.contract import JsonObject
from mymozhem.contract.demo import Evening

from .expected_scores import Sheet, sums, winner, wins
from .http_room import FIRST_HALF, HALVES, HttpRoom, Place, Window, open_http_room
from .people import names
from .question import COUNTDOWN_MS, MIN_ELAPSED_MS, Asked, ask, back, right_option, turns
from .question_source import Source, find_source
from .score_checks import (
    check_log,
    check_people,
    check_points,
    check_standings,
    same,
    same_each,
    sheet_of,
)
from .simulated_players import Phone, bring, habits

ROUNDS = 10
POINTS = 1_000
SECONDS = 20
#: the first rounds close automatically, since everybody answers
COMPLETE = 2
#: the round in which latecomers join
MIDDLE = 6
LATECOMERS = 2
PRIZES = ("Telescope", "Microscope", "Periodic table of chocolate")
#: the mode in which a key is corrected
CORRECTED = "speed"
#: the same for every evening
SEED = 7

MODES = {
    "first": ("first: the first right answer wins", "share"),
    "speed": ("speed: faster is more", "share"),
    "plain": ("plain: right is right", "draw"),
}
#: the texts of the report about special cases
SEEN = {
    "early": "too early",
    "WINDOW_CLOSED": "too late",
    "ALREADY_ANSWERED": "tried to answer twice",
    "repeated": "sent the same twice",
    "lost": "lost the connection and sent again",
    "gone": "sent and never read",
    "back": "reloaded the page",
    "beaten": "were right and not the first",
    "latecomers": "latecomers",
}


@dataclass
class Room:
    """A room in one mode: its people, and its rounds with the expected scores."""

    evening: Evening
    mode: str
    stage: HttpRoom
    draw: Random
    phones: tuple[Phone, ...]
    sheets: dict[int, Sheet] = field(default_factory=dict)
    windows: dict[int, Window] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> Counter[str]:
        """Everybody's expected points."""
        return sums(self.mode, self.sheets.values())


async def play(evening: Evening) -> None:
    """Play the three modes concurrently, each in its own room, with the same people."""
    source = find_source()
    people = names(evening.crowd)
    evening.say(f"Questions of {source.name}, {len(source.blocks)} in all; {ROUNDS} in each mode.")
    rooms = [await _open(evening, mode, source, people) for mode in MODES]
    async with asyncio.TaskGroup() as group:
        for room in rooms:
            group.create_task(_play(room))


async def _play(room: Room) -> None:
    for number in range(1, ROUNDS + 1):
        await _round(room, number)
    if room.mode == CORRECTED:
        await _correct(room)
    await _end(room)


async def _open(evening: Evening, mode: str, source: Source, people: tuple[str, ...]) -> Room:
    name, tie_break = MODES[mode]
    evening.say(f"Mode {name}.")
    draw = Random(f"{SEED} {mode}")  # noqa: S311  a demo that can be repeated
    settings: dict[str, str | int] = {
        "mode": mode,
        "points": POINTS,
        "timePerQuestion": SECONDS,
        "countdownMs": COUNTDOWN_MS,
        "minElapsedMs": MIN_ELAPSED_MS,
        "tieBreak": tie_break,
    }
    questions = source.some(ROUNDS, draw)
    stage = await open_http_room(evening, name, settings, prizes=PRIZES, questions=questions)
    guests = await evening.guests(stage.room.code, people)
    return Room(evening, mode, stage, draw, bring(guests, draw, rounds=ROUNDS))


async def _round(room: Room, number: int) -> None:
    await room.stage.act("start" if number == 1 else "next")
    window = await room.stage.window(number)
    right = right_option(room.stage.questions[window.prompt.text], window)
    part = window.prompt.part
    half = 1 if number <= FIRST_HALF else 2
    same(f"the half of round {number}", (part.number, part.title), (half, HALVES[half - 1]))
    if number == 1:
        await _watch(room, window)
    if number == MIDDLE:
        await _let_in(room, window)
    complete = number <= COMPLETE
    people = zip(
        room.phones, habits(room.phones, room.draw, number=number, complete=complete), strict=True
    )
    asked = Asked(
        room.stage,
        room.mode,
        window,
        turns(people, window, mode=room.mode, right=right, draw=room.draw),
        complete=complete,
    )
    heard = await ask(asked)
    room.seen += heard.seen
    rows = await room.stage.rows(number)
    room.windows[number] = await room.stage.window(number)
    room.sheets[number] = sheet_of(asked, heard, rows, room.windows[number], right)
    check_points(room.mode, room.sheets[number], rows)
    check_standings(room.total, await room.stage.places())


async def _watch(room: Room, window: Window) -> None:
    """Check that a viewer sees a question and cannot answer it."""
    evening, path = room.evening, f"{room.stage.path}/windows/{window.id}/submissions"
    evening.require(not window.may_submit, "The host says that a viewer may answer.")
    body: JsonObject = {"payload": {"answer": window.prompt.options[0].id}}
    came = await evening.attempt("POST", path, body, token=room.stage.screen.token)
    same("an answer of a viewer", came.code, "WINDOW_NOT_YOURS")


async def _let_in(room: Room, window: Window) -> None:
    """Let latecomers in; they see the open question immediately."""
    for number in range(1, LATECOMERS + 1):
        guest = await room.evening.guest(room.stage.room.code, f"Latecomer {number}")
        phone = Phone(guest, skill=0.5, leaves=ROUNDS)
        await back(room.stage, window, phone, None)
        room.phones += (phone,)
        room.seen["latecomers"] += 1


async def _correct(room: Room) -> None:
    """Make the most popular wrong answer the right one; its participants get the points."""
    number, wrong = max(room.sheets.items(), key=lambda one: _popular(one[1])[1])
    answer, count = _popular(wrong)
    window = room.windows[number]
    question = room.stage.questions[window.prompt.text]
    text = next(one.text for one in window.prompt.options if one.id == answer)
    key = answer == "true" if question.type == "boolean" else text
    await room.stage.act("correct", questionId=question.id, answer=key)
    room.sheets[number] = replace(wrong, right=answer)
    check_points(room.mode, room.sheets[number], await room.stage.rows(number))
    check_standings(room.total, await room.stage.places())
    room.evening.say(f"{room.mode}: the key of question {number} was wrong; {count} said {text!r}.")


def _popular(sheet: Sheet) -> tuple[str, int]:
    """Return the most frequent wrong answer, and its count."""
    wrong = Counter(one.answer for one in sheet.answers if one.answer != sheet.right)
    return wrong.most_common(1)[0] if wrong else (sheet.right, 0)


async def _end(room: Room) -> None:
    """End the quiz, and compare everything again: people, standings, log, prizes."""
    stage = room.stage
    await stage.act("end")
    check_people(room.total, await stage.people(), len(room.phones))
    places = await stage.places()
    check_standings(room.total, places)
    won = {number: winner(room.mode, sheet) for number, sheet in room.sheets.items()}
    check_log(await stage.log(), {} if room.mode == "plain" else won)
    await _give(room)
    _tell(room, places)


async def _give(room: Room) -> None:
    """Compare the prizes; if the room draws ties, the draws are public and verified."""
    stage, due = room.stage, wins(room.total, await room.stage.prizes())
    drawn = due.ties if MODES[room.mode][1] == "draw" else ()
    draws = await stage.draws()
    same("draws", len(draws), len(drawn))
    for draw in draws:
        path = f"{stage.path}/draws/{draw}"
        await room.evening.until(path, "status", "REVEALED", token=room.evening.organizer)
        room.evening.verify(await room.evening.call("GET", f"{path}/record"))
    given = await stage.wins()
    clear = {one.participant_id: one.prize_id for one in given if one.draw_id is None}
    same_each("prizes", clear, due.clear)
    lots = {one.prize_id: one.participant_id for one in given if one.draw_id is not None}
    same("prizes that were drawn", sorted(lots), sorted(p for tie in drawn for p in tie.prizes))
    for tie in drawn:
        lucky = {lots[prize] for prize in tie.prizes}
        room.evening.require(lucky <= {*tie.people}, "Somebody won a draw that was not theirs.")


def _tell(room: Room, places: list[Place]) -> None:
    best = [place for place in places if place.rank == 1]
    leads = best[0].display_name if len(best) == 1 else f"{len(best)} people together"
    answers = sum(len(sheet.answers) for sheet in room.sheets.values())
    say, people = room.evening.say, len(room.phones)
    say(f"{room.mode}: {leads} won with {best[0].points} points; {answers} answers counted.")
    met = [f"{room.seen[what]} {told}" for what, told in SEEN.items() if room.seen[what]]
    say(f"  {', '.join(met)}.")
    say(f"  Every score of {people} people in {ROUNDS} questions is what the script calculated.")
