"""People of a room as they are seen: names for everybody, the rest for helpers and oneself."""

from mymozhem.auth.tables import UserRow
from mymozhem.contract import JsonObject, Level, ParticipantStatus, PersonKind, Role
from mymozhem.rooms.core.membership import Seat
from mymozhem.rooms.tables.rooms import ParticipantRow

from .base import Moment, SeenPerson, View
from .room_models import person_view
from .standings import points_hidden


class SeenName(View):
    """A participant by name."""

    id: str
    display_name: str


class SeenParticipant(View):
    """A participant as one caller sees them.

    Everybody in the room sees names and roles. `own` is what the app shows to this one alone.
    """

    id: str
    room_id: str
    display_name: str
    role: Role
    status: ParticipantStatus
    user_id: str | None = None
    kind: PersonKind | None = None
    reason: str | None = None
    metadata: JsonObject | None = None
    points: int | None = None
    own: JsonObject | None = None
    joined_at: Moment | None = None
    last_seen_at: Moment | None = None
    updated_at: Moment | None = None
    user: SeenPerson | None = None


def participant_view(seat: Seat, row: ParticipantRow, person: UserRow) -> SeenParticipant:
    """Return a participant as the caller sees them."""
    shown = SeenParticipant(
        id=row.id,
        room_id=row.room_id,
        display_name=row.display_name,
        role=row.role,
        status=row.status,
    )
    mine = seat.user_id == row.user_id
    if seat.level is Level.ORGANIZER or mine:
        shown = shown.model_copy(update=_details(seat, row, person))
    return shown.model_copy(update={"own": row.own}) if mine else shown


def _details(seat: Seat, row: ParticipantRow, person: UserRow) -> dict[str, object]:
    details: dict[str, object] = {
        "user_id": row.user_id,
        "kind": person.kind,
        "reason": row.reason,
        "metadata": row.data,
        "joined_at": row.joined_at,
        "last_seen_at": row.last_seen_at,
        "updated_at": row.updated_at,
        "user": person_view(person),
    }
    return details if points_hidden(seat) else details | {"points": row.points}
