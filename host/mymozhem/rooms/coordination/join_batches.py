"""What concurrent joins of a room share: one lookup by code, and one transaction."""

from dataclasses import dataclass

from mymozhem.auth.tables import UserRow
from mymozhem.contract import Context, JsonObject, PersonKind, RegistrationResult, Role
from mymozhem.dispatch.outcome import Outcome
from mymozhem.idempotency.keys import Claim
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow

#: people of one batch at most; nobody else writes to their room while they are admitted
MAX_JOINS = 100


@dataclass(frozen=True)
class JoinResult:
    """A person in a room; `new` is False if they were active already.

    `return_code` moves a guest to another phone; it is handed out once. None for people with an
    account, and for guests who were in the room before.
    """

    room: RoomRow
    participant: ParticipantRow
    person: UserRow
    new: bool
    return_code: str | None = None

    @property
    def kind(self) -> PersonKind:
        """The kind of person: guest or registered."""
        return PersonKind(self.person.kind)

    @property
    def user_id(self) -> str:
        """The person's id."""
        return self.person.id


@dataclass(frozen=True)
class FoundRoom:
    """A room found by its code, and the caller with their row in it.

    `person` is None for a caller without a token, or whose account does not exist any more. Room,
    manifest and context are the same objects for all callers of one lookup.
    """

    room: RoomRow
    manifest: Manifest
    context: Context
    person: UserRow | None
    row: ParticipantRow | None

    @property
    def kind(self) -> PersonKind:
        """The kind of person: guest or registered."""
        return PersonKind(self.person.kind) if self.person else PersonKind.GUEST


@dataclass(frozen=True)
class JoinRequest:
    """A request to join, with what the lookup found before the app is called.

    `role` is PARTICIPANT or VIEWER, None for the role that the person had before, at first
    PARTICIPANT. `self_metadata` is what the person writes about themselves.
    """

    found: FoundRoom
    name: str
    answers: JsonObject
    role: Role | None = None
    self_metadata: JsonObject | None = None

    @property
    def person(self) -> UserRow | None:
        """The person, or None for a guest who has no row yet."""
        return self.found.person

    @property
    def user_id(self) -> str | None:
        """The person's id, or None for a guest who has no row yet."""
        return self.person.id if self.person else None

    @property
    def role_inside(self) -> Role:
        """The role that the person would have.

        Who returns keeps the role, so that nobody undoes what an organizer decided; a participant
        may become a viewer.
        """
        if self.found.row is None:
            return self.role or Role.PARTICIPANT
        before = self.found.row.role
        return Role.VIEWER if self.role is Role.VIEWER and before is Role.PARTICIPANT else before

    @property
    def metadata(self) -> JsonObject:
        """The metadata that the room already has of this person."""
        return self.found.row.data if self.found.row else {}


@dataclass(frozen=True, eq=False)
class AnsweredJoin:
    """A request to join with the app's answer, and the idempotency claim to mark as done."""

    request: JoinRequest
    outcome: Outcome[RegistrationResult]
    claim: Claim | None
