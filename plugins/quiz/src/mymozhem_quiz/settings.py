"""The room's settings as typed values, and what follows from the settings alone."""

from datetime import datetime
from functools import cached_property
from typing import Literal

from mymozhem.contract import Context, JsonObject, RoomView
from mymozhem.contract.wire import Moment, Wire

from .layout import in_rounds, setting_of

QuestionType = Literal["single", "multiple", "boolean", "number", "text", "order"]
Mode = Literal["first", "speed", "plain"]

#: all questions may close together in one result, whose effects are limited
MOST_SELF_PACED = 60


class Picture(Wire):
    """A picture, and a text that describes it."""

    url: str
    alt: str


class Option(Wire):
    """One option; an `accepted` option was found to be right later."""

    text: str
    right: bool = False
    accepted: bool = False
    picture: Picture | None = None


class Question(Wire):
    """A question with its key; the options of an `order` are listed in the right order."""

    id: str
    type: QuestionType
    text: str
    options: tuple[Option, ...] = ()
    answer: bool | int | float | None = None
    tolerance: int | float | None = None
    accepted: tuple[str, ...] = ()
    time_limit: int | None = None
    points: int | None = None
    picture: Picture | None = None

    @property
    def is_nearest(self) -> bool:
        """Whether the nearest number is right, which takes all answers to decide."""
        return self.type == "number" and self.tolerance is None

    @property
    def has_options(self) -> bool:
        """Whether participants choose from options that the question lists."""
        return self.type in {"single", "multiple", "order"}


class Part(Wire):
    """Questions under a title; people call this a round.

    In code and in events a "round" is one question as it was played, as it was before there were
    parts. A part without an id holds all questions of a room without rounds, and is never shown.
    """

    id: str = ""
    title: str = ""
    questions: tuple[Question, ...] = ()
    points: int | None = None
    time_per_question: int | None = None


_NO_PART = Part()


class PartSeen(Wire):
    """A part as everybody sees it: its number, the number of parts, and its title."""

    number: int
    of: int
    title: str


class Settings(Wire):
    """What the organizer chose; the manifest says what each field means."""

    rounds: tuple[Part, ...] = ()
    mode: Mode = "first"
    time_per_question: int = 20
    pause_between_rounds: bool = False
    points: int = 100
    streak_bonus: int = 0
    min_elapsed_ms: int = 200
    countdown_ms: int = 0
    shuffle_options: bool = False
    reveal_answers: Literal["onClose", "byHand"] = "onClose"
    show_standings: bool = True
    teams: Literal["off", "chosen", "assigned", "balanced"] = "off"
    team_names: tuple[str, ...] = ()
    tie_break: Literal["share", "suddenDeath", "draw"] = "share"
    pace: Literal["live", "self"] = "live"
    closes_at: Moment | None = None

    @property
    def self_paced(self) -> bool:
        """Whether all questions are open at once, for days."""
        return self.pace == "self"

    @property
    def counts_as(self) -> Mode:
        """Return how points are given; in a self-paced quiz, time never counts."""
        return "plain" if self.self_paced else self.mode

    @property
    def bonus(self) -> int:
        """Return the points of a step of a streak; a self-paced quiz has no streaks."""
        return 0 if self.self_paced else self.streak_bonus

    @property
    def holds_results(self) -> bool:
        """Whether windows hold their results back until an organizer, or the end, reveals them."""
        return self.self_paced or self.reveal_answers == "byHand"

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """Return the questions of all parts, in their order."""
        return tuple(one for part in self.rounds for one in part.questions)

    @cached_property
    def _parts(self) -> dict[str, Part]:
        return {one.id: part for part in reversed(self.rounds) for one in part.questions}

    def question(self, question_id: str) -> Question | None:
        """Return a question, or None if an organizer has removed it."""
        return next((one for one in self.questions if one.id == question_id), None)

    def part(self, part_id: str) -> Part | None:
        """Return a part, or None if an organizer has removed it or the room has no parts."""
        return next((one for one in self.rounds if part_id and one.id == part_id), None)

    def part_of(self, question: Question) -> Part | None:
        """Return the part of a question, or None in a room without rounds."""
        found = self._parts.get(question.id)
        return found if found is not None and found.id else None

    def seen(self, part: Part) -> PartSeen:
        """Return a part as everybody sees it."""
        number = [one.id for one in self.rounds].index(part.id) + 1
        return PartSeen(number=number, of=len(self.rounds), title=part.title)

    def points_of(self, question: Question) -> int:
        """Return the full points of a question: its own, its part's, or the quiz's."""
        part = self.part_of(question) or _NO_PART
        return _first(question.points, part.points, self.points)

    def seconds_of(self, question: Question) -> int:
        """Return how long a question is open in a live quiz."""
        part = self.part_of(question) or _NO_PART
        return _first(question.time_limit, part.time_per_question, self.time_per_question)

    def lasts_ms(self, question: Question, now: datetime) -> int:
        """Return for how many milliseconds the window of a question stays open."""
        if not self.self_paced or self.closes_at is None:
            return self.seconds_of(question) * 1_000
        return max(0, round((self.closes_at - now).total_seconds() * 1_000))


def room_of(context: Context) -> RoomView:
    """Return the room of a call that always concerns a room."""
    if context.room is None:
        raise ValueError("this hook is asked about a room, and the request carries none")
    return context.room


def settings_of(context: Context) -> Settings:
    """Return the settings of the room that a call concerns."""
    return read_settings(context, room_of(context).settings)


def read_settings(context: Context, given: JsonObject) -> Settings:
    """Return settings of the version that a call names; raise ValidationError for others."""
    return Settings.model_validate(in_rounds(given, setting_of(context)))


def _first(own: int | None, of_part: int | None, of_quiz: int) -> int:
    """Return the most specific value that is set."""
    return next((one for one in (own, of_part) if one is not None), of_quiz)
