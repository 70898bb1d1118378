"""The room's settings as typed values, and what follows from them alone."""

from datetime import datetime
from typing import Literal

from mymozhem.contract import Context, RoomView
from mymozhem.contract.wire import Moment, Wire

QuestionType = Literal["single", "multiple", "boolean", "number", "text", "order"]
Mode = Literal["first", "speed", "plain"]

#: a page of answers that ends at once is one answer to the host, whose effects are bounded
MOST_SELF_PACED = 60


class Option(Wire):
    """One option; `accepted` ones were found to be right as well, after the fact."""

    text: str
    right: bool = False
    accepted: bool = False


class Picture(Wire):
    """A picture, and what it shows in words."""

    url: str
    alt: str


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
        """Whether the nearest number is right, which only all answers together can tell."""
        return self.type == "number" and self.tolerance is None

    @property
    def has_options(self) -> bool:
        """Whether people choose from options that the question lists."""
        return self.type in {"single", "multiple", "order"}


class Settings(Wire):
    """What the organizer chose; the manifest says what each field means."""

    questions: tuple[Question, ...] = ()
    mode: Mode = "first"
    time_per_question: int = 20
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
        """Return how points are given; at people's own pace, time never counts."""
        return "plain" if self.self_paced else self.mode

    @property
    def bonus(self) -> int:
        """Return the points of a step of a streak; at people's own pace there is no "in a row"."""
        return 0 if self.self_paced else self.streak_bonus

    @property
    def holds_results(self) -> bool:
        """Whether windows hold their results back until somebody, or the end, reveals them."""
        return self.self_paced or self.reveal_answers == "byHand"

    def question(self, question_id: str) -> Question | None:
        """Return a question; None where an organizer took it out meanwhile."""
        return next((one for one in self.questions if one.id == question_id), None)

    def points_of(self, question: Question) -> int:
        """Return the full points of a question."""
        return self.points if question.points is None else question.points

    def seconds_of(self, question: Question) -> int:
        """Return how long a question is open in a live quiz."""
        return self.time_per_question if question.time_limit is None else question.time_limit

    def lasts_ms(self, question: Question, now: datetime) -> int:
        """Return how long the window of a question is to be open from now on."""
        if not self.self_paced or self.closes_at is None:
            return self.seconds_of(question) * 1_000
        return max(0, round((self.closes_at - now).total_seconds() * 1_000))


def room_of(context: Context) -> RoomView:
    """Return the room of a call that the host makes about rooms only."""
    if context.room is None:
        raise ValueError("this hook is asked about a room, and the request carries none")
    return context.room


def settings_of(context: Context) -> Settings:
    """Return the settings of the room that a call is about."""
    return Settings.model_validate(room_of(context).settings)
