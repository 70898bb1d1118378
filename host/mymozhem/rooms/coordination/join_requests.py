"""People at a room's door: what is seen, who applies, what the app said to it, and who is in."""

from dataclasses import dataclass

from mymozhem.auth.tables import UserRow
from mymozhem.contract import Context, JsonObject, PersonKind, RegistrationResult
from mymozhem.dispatch.outcome import Outcome
from mymozhem.idempotency.keys import Claim
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.tables.rooms import ParticipantRow, RoomRow


@dataclass(frozen=True)
class Joined:
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
class Seen:
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
class Application:
    """Who wants to come in, as far as it was seen before the app is asked."""

    seen: Seen
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
class Arrival:
    """An application, what the app said to it, and the request that is to be marked as done."""

    application: Application
    outcome: Outcome[RegistrationResult]
    claim: Claim | None
