"""People at a room's door: who applies, what the app said to it, and who is in."""

from dataclasses import dataclass

from mymozhem.auth.tables import UserRow
from mymozhem.contract import Context, JsonObject, PersonKind, RegistrationResult
from mymozhem.dispatch.outcome import Outcome
from mymozhem.manifests.model import Manifest

from .idempotency import Claim
from .tables import ParticipantRow, RoomRow


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
class Application:
    """Who wants to come in, as far as it was seen before the app is asked.

    `person` is None for a guest who has no row yet.
    """

    room: RoomRow
    manifest: Manifest
    context: Context
    person: UserRow | None
    name: str
    answers: JsonObject
    row: ParticipantRow | None

    @property
    def user_id(self) -> str | None:
        """The person's id, None for a guest who is only to be made."""
        return self.person.id if self.person else None

    @property
    def kind(self) -> PersonKind:
        """Whether they have an account."""
        return PersonKind(self.person.kind) if self.person else PersonKind.GUEST

    @property
    def metadata(self) -> JsonObject:
        """What the room holds about this person already."""
        return self.row.data if self.row else {}


@dataclass(frozen=True, eq=False)
class Arrival:
    """An application, what the app said to it, and the request that is to be marked as done."""

    application: Application
    outcome: Outcome[RegistrationResult]
    claim: Claim | None
