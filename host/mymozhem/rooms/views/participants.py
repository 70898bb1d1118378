"""Participants, as callers see them: names for everybody, the rest for staff and oneself."""

from dataclasses import dataclass

from sqlalchemy import Select, select

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import JsonObject, Level, ParticipantStatus, PersonKind, Role
from mymozhem.errors import Invalid, NotFound
from mymozhem.rooms.core.access import membership_by, read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.participants import ParticipantRow

from .base import PersonView, Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page
from .standings import points_hidden

PEOPLE_BY: Columns = {
    "id": ParticipantRow.id,
    "displayName": ParticipantRow.display_name,
    "joinedAt": ParticipantRow.joined_at,
    "points": ParticipantRow.points,
}


class NameView(View):
    """A participant by name."""

    id: str
    user_id: str
    display_name: str
    user: PersonView


class ParticipantView(View):
    """A participant as one caller sees them.

    Everybody in the room sees names and roles, and strangers do if the room is public. `own` is
    shown to the participant alone. `user` has the name that the room shows.
    """

    id: str
    room_id: str
    display_name: str
    role: Role
    status: ParticipantStatus
    user_id: str
    user: PersonView
    kind: PersonKind | None = None
    reason: str | None = None
    metadata: JsonObject | None = None
    points: int | None = None
    own: JsonObject | None = None
    joined_at: Timestamp | None = None
    last_seen_at: Timestamp | None = None
    updated_at: Timestamp | None = None


@dataclass(frozen=True)
class PeopleFilter:
    """Filters of participants; None leaves a filter out. `name` is a prefix of the display name."""

    role: Role | None = None
    status: ParticipantStatus | None = None
    name: str | None = None


def member_view(row: ParticipantRow, person: UserRow) -> PersonView:
    """Return the person of a participant, with the name that the room shows."""
    return PersonView(id=row.user_id, name=row.display_name, avatar=person.avatar_url)


def name_view(row: ParticipantRow, person: UserRow) -> NameView:
    """Return a participant by name."""
    return NameView(
        id=row.id,
        user_id=row.user_id,
        display_name=row.display_name,
        user=member_view(row, person),
    )


def participant_view(
    membership: Membership, row: ParticipantRow, person: UserRow
) -> ParticipantView:
    """Return a participant as the caller sees them."""
    shown = ParticipantView(
        id=row.id,
        room_id=row.room_id,
        display_name=row.display_name,
        role=row.role,
        status=row.status,
        user_id=row.user_id,
        user=member_view(row, person),
    )
    mine = membership.user_id == row.user_id
    if membership.level is Level.ORGANIZER or mine:
        shown = shown.model_copy(update=_details(membership, row, person))
    return shown.model_copy(update={"own": row.own}) if mine else shown


async def participants(
    services: Services,
    room_id: str,
    caller: Principal | None,
    wanted: PeopleFilter,
    part: PageRequest,
) -> ResultPage[ParticipantView]:
    """Return the people of a room; only staff sees inactive ones.

    Raises Invalid for an order by points that the caller may not see now.
    """
    endpoint = "GET /rooms/{id}/participants"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        if points_hidden(membership) and {"points", "-points"} & set(part.sort):
            raise Invalid(fields={"/sort": ["Points are hidden for now; choose another order."]})
        rows = _wanted(membership, wanted)
        found, total = await fetch_page(session, rows, part, PEOPLE_BY)
    return ResultPage([participant_view(membership, row, person) for row, person in found], total)


async def participant(
    services: Services, room_id: str, caller: Principal | None, participant_id: str
) -> ParticipantView:
    """Return one participant; NotFound for one that is not in the caller's list."""
    endpoint = "GET /rooms/{id}/participants/{pid}"
    async with services.database.read() as session:
        membership = await membership_by(session, room_id, caller, participant_id, endpoint)
        one = _people(membership).where(ParticipantRow.id == participant_id)
        found = (await session.execute(one)).first()
    mine = membership.participant is not None and membership.participant.id == participant_id
    everybody = membership.level is Level.ORGANIZER or mine
    if found is None or not (everybody or found[0].status == ParticipantStatus.ACTIVE):
        raise NotFound("There is no such participant.", code="PARTICIPANT_NOT_FOUND")
    return participant_view(membership, found[0], found[1])


def _wanted(membership: Membership, wanted: PeopleFilter) -> Select[ParticipantRow, UserRow]:
    rows = _people(membership)
    if membership.level is not Level.ORGANIZER:
        rows = rows.where(ParticipantRow.status == ParticipantStatus.ACTIVE)
    if wanted.role is not None:
        rows = rows.where(ParticipantRow.role == wanted.role)
    if wanted.status is not None:
        rows = rows.where(ParticipantRow.status == wanted.status)
    if wanted.name is not None:
        rows = rows.where(ParticipantRow.display_name.startswith(wanted.name, autoescape=True))
    return rows


def _details(membership: Membership, row: ParticipantRow, person: UserRow) -> dict[str, object]:
    details: dict[str, object] = {
        "kind": person.kind,
        "reason": row.reason,
        "metadata": row.shown_metadata,
        "joined_at": row.joined_at,
        "last_seen_at": row.last_seen_at,
        "updated_at": row.updated_at,
    }
    return details if points_hidden(membership) else details | {"points": row.points}


def _people(membership: Membership) -> Select[ParticipantRow, UserRow]:
    return (
        select(ParticipantRow, UserRow)
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(ParticipantRow.room_id == membership.room.id, ParticipantRow.deleted_at.is_(None))
    )
