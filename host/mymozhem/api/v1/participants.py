"""People in a room: join, leave, and manage them as staff."""

from typing import Annotated

from quart import request

from mymozhem.api.idempotency import Repeat
from mymozhem.api.query_models import PeopleQuery, check_fields, paged
from mymozhem.api.request_models import (
    ImportBody,
    JoinBody,
    ParticipantPatch,
    ReasonBody,
    RenameBody,
)
from mymozhem.api.request_parsing import read_body
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.errors import NotFound
from mymozhem.rooms.participants import manage
from mymozhem.rooms.participants.add_people import NewPerson, add_people
from mymozhem.rooms.participants.import_table import import_table
from mymozhem.rooms.participants.manage import PersonChanges
from mymozhem.rooms.views.account import code_for
from mymozhem.rooms.views.base import Deleted, View, deleted
from mymozhem.rooms.views.participants import (
    ParticipantView,
    PeopleFilter,
    participant,
)
from mymozhem.rooms.views.participants import participants as found_participants

from .auth import join_by_code, seen

routes = Routes("participants", "People in a room.")
TABLES = ("text/csv", "text/plain")
Table = Annotated[bytes, *TABLES]
IMPORT_BYTES = 4 * 1024 * 1024


class Imported(View):
    """The people who were added to the room.

    `columns` and `encoding` say how a table was read.
    """

    participant_ids: list[str]
    columns: list[str] | None = None
    encoding: str | None = None


class MovedMembership(View):
    """A guest without a phone; `returnCode` is shown once, and signs in on another phone."""

    participant_id: str
    return_code: str


@routes.add("POST /rooms/{id}/participants", status=201, refuses=frozenset({410}))
async def join_room(context: RequestContext, id: str, body: JoinBody) -> ParticipantView:
    """Join a room as a participant or as a viewer; a private one requires its code."""
    code = await code_for(context.services.database, id, context.caller, body.code)
    joined = await join_by_code(
        context, code, name=body.name, answers=body.answers, role=body.role, metadata=body.metadata
    )
    if joined.room.id != id:
        raise NotFound("There is no such room.", code="ROOM_NOT_FOUND")
    return seen(joined)


@routes.add("GET /rooms/{id}/participants")
async def list_participants(
    context: RequestContext, id: str, query: PeopleQuery
) -> Page[ParticipantView]:
    """List people by name; staff of the room also see details."""
    check_fields(query.fields, ParticipantView)
    wanted = PeopleFilter(role=query.role, status=query.status, name=query.name)
    found = await found_participants(context.services, id, context.principal, wanted, query.part)
    return paged(found, query)


@routes.add(
    "POST /rooms/{id}/participants/import", status=201, max_bytes=IMPORT_BYTES, takes=ImportBody
)
async def import_participants(context: RequestContext, id: str, raw: Table) -> Imported:
    """Add people to the room, with or without a phone, all or none.

    They are listed in a JSON body, or the body is a table as text/csv or text/plain, as a
    spreadsheet stores it: with a column `name`, perhaps `tickets`, and other columns.
    """
    if request.mimetype in TABLES:
        charset = request.mimetype_params.get("charset")
        done = await import_table(context.services, id, context.caller, raw, charset)
        return Imported(
            participant_ids=done.participant_ids, columns=list(done.columns), encoding=done.encoding
        )
    body = read_body(request, raw, ImportBody)
    new = tuple(NewPerson(each.name, each.metadata) for each in body.people)
    ids = await add_people(context.services, id, context.caller, new)
    return Imported(participant_ids=ids)


@routes.add("DELETE /rooms/{id}/participants/me", refuses=frozenset({409}))
async def leave_room(context: RequestContext, id: str) -> Deleted:
    """Leave the room; a participant who joins again keeps their data."""
    row = await manage.leave(context.services, id, context.caller)
    return deleted(row.id, row.updated_at)


@routes.add("GET /rooms/{id}/participants/{pid}")
async def get_participant(context: RequestContext, id: str, pid: str) -> ParticipantView:
    """Return one participant."""
    return await _shown(context, id, pid)


@routes.add("PATCH /rooms/{id}/participants/{pid}", refuses=frozenset({409}))
async def change_participant(
    context: RequestContext, id: str, pid: str, body: ParticipantPatch
) -> ParticipantView:
    """Rename a participant, or oneself; only organizers change roles and metadata."""
    changes = PersonChanges(name=body.name, role=body.role, metadata=body.metadata)
    await manage.change_person(context.services, id, context.caller, pid, changes)
    return await _shown(context, id, pid)


@routes.add("DELETE /rooms/{id}/participants/{pid}", refuses=frozenset({409}))
async def remove_participant(
    context: RequestContext, id: str, pid: str, body: ReasonBody
) -> Deleted:
    """Remove a participant; for oneself, leave the room."""
    row = await manage.remove_or_leave(context.services, id, context.caller, pid, body.reason)
    return deleted(row.id, row.updated_at)


@routes.add("POST /rooms/{id}/participants/{pid}/approve")
async def approve_participant(context: RequestContext, id: str, pid: str) -> ParticipantView:
    """Admit somebody who waits, was rejected or removed."""
    await manage.approve(context.services, id, context.caller, pid)
    return await _shown(context, id, pid)


@routes.add("POST /rooms/{id}/participants/{pid}/reject")
async def reject_participant(
    context: RequestContext, id: str, pid: str, body: ReasonBody
) -> ParticipantView:
    """Reject somebody who waits."""
    await manage.reject(context.services, id, context.caller, pid, body.reason)
    return await _shown(context, id, pid)


@routes.add("POST /rooms/{id}/participants/{pid}/rename")
async def rename_participant(
    context: RequestContext, id: str, pid: str, body: RenameBody
) -> ParticipantView:
    """Rename a participant."""
    await manage.change_person(
        context.services, id, context.caller, pid, PersonChanges(name=body.name)
    )
    return await _shown(context, id, pid)


@routes.add(
    "POST /rooms/{id}/participants/{pid}/seat", repeat=Repeat.SECRET, refuses=frozenset({409})
)
async def move_membership(context: RequestContext, id: str, pid: str) -> MovedMembership:
    """Sign a guest's phone out, and return a code to sign in on another phone.

    Also for people who were added without a phone.
    """
    code = await manage.move_membership(context.services, id, context.caller, pid)
    return MovedMembership(participant_id=pid, return_code=code)


async def _shown(context: RequestContext, room_id: str, participant_id: str) -> ParticipantView:
    return await participant(context.services, room_id, context.principal, participant_id)
