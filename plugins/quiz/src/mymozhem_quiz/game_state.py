"""The progress of the quiz: both parts of the room's state as typed values."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Self

from mymozhem.contract import Context, SetState
from mymozhem.contract.wire import Moment, Wire

from .settings import PartSeen, Question, Settings, room_of

WINDOW = re.compile(r"q-([1-9][0-9]{0,5})")


class Status(StrEnum):
    """The status of a quiz."""

    WAITING = "WAITING"  #: not started yet
    QUESTION_ACTIVE = "QUESTION_ACTIVE"  #: a question can be answered, or is being settled
    BETWEEN_ROUNDS = "BETWEEN_ROUNDS"  #: the organizer can show the next question
    FINISHED = "FINISHED"  #: the standings are final


class Place(Wire):
    """A place in the standings; participants with equal results share a rank."""

    rank: int
    participant_id: str
    points: int


class Team(Wire):
    """A team: its active members, and the mean of their points, or None while it is not shown."""

    name: str
    members: int
    mean: float | None = None


class Public(Wire):
    """The public part of the state.

    `window` is the question that can be answered, `tied` how many participants answer it to break a
    tie, `part` the current part (people call it a round), `standings` the ten best at the end and
    between two parts.
    """

    status: Status = Status.WAITING
    round: int = 0
    played: int = 0
    total: int = 0
    window: str | None = None
    tied: int = 0
    closes_at: Moment | None = None
    teams: tuple[Team, ...] = ()
    standings: tuple[Place, ...] = ()
    part: PartSeen | None = None


class Round(Wire):
    """A question as it was played; its number is its place in the list, counted from 1.

    `order` is the positions of the options as they were shown. The points of a `fixed` round are
    the host's: it settled or corrected the window without this app. `held` results are not shown
    yet. `ranked` lists who was right in a round that broke a tie, in commit order.
    """

    question: str
    order: str = ""
    closed: bool = False
    tie: bool = False
    void: bool = False
    fixed: bool = False
    held: bool = False
    ranked: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether the round was played to its end and counts."""
        return self.closed and not self.void

    @property
    def scores(self) -> bool:
        """Whether the round can give points."""
        return not self.void and not self.tie


class Private(Wire):
    """The private part of the state, which only the app sees.

    It has the rounds, those whose results are not announced yet, the sort key of the tied places by
    the key of their draw, and the id of the current part.
    """

    rounds: tuple[Round, ...] = ()
    untold: tuple[int, ...] = ()
    draws: dict[str, tuple[int, ...]] = {}
    part: str = ""


class Game(Wire):
    """The state of a quiz that is being played."""

    public: Public = Public()
    private: Private = Private()

    @classmethod
    def of(cls, context: Context) -> Self:
        """Return the quiz of the room that a call concerns."""
        state = room_of(context).state
        return cls.model_validate({"public": state.public, "private": state.private})

    def save(self) -> SetState:
        """Return the effect that stores the quiz; the private part leaves out default values."""
        private = self.private.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        # Rooms of the first version have no parts: without a part, leave the field out.
        unsaid = {"part"} if self.public.part is None else set()
        public = self.public.model_dump(mode="json", by_alias=True, exclude=unsaid)
        return SetState(public=public, private=private)

    def shown(self, **changes: object) -> Self:
        """Return the quiz with these changes in its public part."""
        return self.model_copy(update={"public": self.public.model_copy(update=changes)})

    def kept(self, **changes: object) -> Self:
        """Return the quiz with these changes in its private part."""
        return self.model_copy(update={"private": self.private.model_copy(update=changes)})

    def opened(self, played: Round) -> Self:
        """Return the quiz with one more round."""
        return self.kept(rounds=(*self.private.rounds, played))

    def turned(self, number: int, **changes: object) -> Self:
        """Return the quiz with one round changed."""
        rounds = list(self.private.rounds)
        rounds[number - 1] = rounds[number - 1].model_copy(update=changes)
        return self.kept(rounds=tuple(rounds))

    def numbered(self) -> Iterator[tuple[int, Round]]:
        """Yield all rounds with their numbers."""
        yield from enumerate(self.private.rounds, start=1)

    def round(self, number: int) -> Round:
        """Return a round by its number."""
        return self.private.rounds[number - 1]

    def number_of(self, window_id: str | None) -> int | None:
        """Return the number of a window's round, or None for a window that is not the quiz's."""
        found = WINDOW.fullmatch(window_id or "")
        number = int(found[1]) if found else 0
        return number if 0 < number <= len(self.private.rounds) else None

    def open_rounds(self) -> list[int]:
        """Return the numbers of the rounds that are not settled yet."""
        return [number for number, played in self.numbered() if not played.closed]

    def held_rounds(self) -> list[int]:
        """Return the numbers of the rounds whose results are not revealed yet."""
        return [n for n, played in self.numbered() if played.held and played.stands]

    def rounds_of(self, question_id: str) -> list[int]:
        """Return the numbers of the rounds in which a question was played."""
        return [n for n, played in self.numbered() if played.question == question_id]

    def unplayed(self, settings: Settings) -> list[Question]:
        """Return the questions that were not shown yet, in their order."""
        played = {one.question for one in self.private.rounds}
        return [one for one in settings.questions if one.id not in played]

    @property
    def running(self) -> bool:
        """Whether the quiz has started and is not over."""
        return self.public.status in {Status.QUESTION_ACTIVE, Status.BETWEEN_ROUNDS}


def window_of(number: int) -> str:
    """Return the id of a round's window, which is unique in the room."""
    return f"q-{number}"
