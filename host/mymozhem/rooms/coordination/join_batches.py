"""Who comes to one door at the same time is looked at and let in together, and not one by one."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from mymozhem.auth.tables import UserRow
from mymozhem.concurrency.coalescing import SharedReads
from mymozhem.contract import Context, JsonObject, PersonKind, RegistrationResult
from mymozhem.dispatch.outcome import Outcome
from mymozhem.idempotency.keys import Claim
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow

K = TypeVar("K", bound=Hashable)

V = TypeVar("V")

#: people who are let in at once; while they are, nobody else writes to their room
AT_ONCE = 100

Turn = Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]]


class Doors(Generic[K, V]):
    """Doors by name; one that nobody stands at is forgotten."""

    def __init__(self) -> None:
        self._doors: dict[str, SharedReads[K, V]] = {}

    async def ask(self, name: str, key: K, *, answer: Turn[K, V]) -> V:
        """Wait for the door's next turn, and return what came of one's own part in it.

        `answer` works for all that wait, in a task that belongs to none of them: whoever goes away
        meanwhile is served all the same.
        """
        door = self._doors.get(name)
        if door is None:
            forget = partial(self._doors.pop, name)
            door = self._doors[name] = SharedReads(answer, most=AT_ONCE, idle=forget)
        return await door.ask(key)


class Arrivals(Generic[K, V]):
    """The doors of rooms: by code for those who look, by room for those who are to be let in.

    Who looks is a person's id, None for everybody without a token.
    """

    def __init__(self) -> None:
        self.looks: Doors[str | None, FoundRoom] = Doors()
        self.entries: Doors[K, V] = Doors()


@dataclass(frozen=True)
class JoinResult:
    """Somebody in a room; `new` is False for those who were in already."""

    room: RoomRow
    participant: ParticipantRow
    person: UserRow
    new: bool

    @property
    def kind(self) -> PersonKind:
        """Whether they have an account."""
        return PersonKind(self.person.kind)

    @property
    def user_id(self) -> str:
        """The person's id."""
        return self.person.id


@dataclass(frozen=True)
class FoundRoom:
    """What one look shows: the room, and the person who looks with their row in it.

    `person` is None for somebody without a token, and for one who does not exist any more. Room,
    manifest and context are the same objects for all who looked together.
    """

    room: RoomRow
    manifest: Manifest
    context: Context
    person: UserRow | None
    row: ParticipantRow | None

    @property
    def kind(self) -> PersonKind:
        """Whether they have an account."""
        return PersonKind(self.person.kind) if self.person else PersonKind.GUEST


@dataclass(frozen=True)
class JoinRequest:
    """Who wants to come in, as far as it was seen before the app is asked."""

    seen: FoundRoom
    name: str
    answers: JsonObject

    @property
    def person(self) -> UserRow | None:
        """The person, None for a guest who has no row yet."""
        return self.seen.person

    @property
    def user_id(self) -> str | None:
        """The person's id, None for a guest who is only to be made."""
        return self.person.id if self.person else None

    @property
    def metadata(self) -> JsonObject:
        """What the room holds about this person already."""
        return self.seen.row.data if self.seen.row else {}


@dataclass(frozen=True, eq=False)
class AnsweredJoin:
    """An application, what the app said to it, and the request that is to be marked as done."""

    application: JoinRequest
    outcome: Outcome[RegistrationResult]
    claim: Claim | None
