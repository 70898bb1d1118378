"""People in a room: joining, leaving, looked after by those who help to run it."""

from mymozhem.api.query_models import PeopleQuery, check_fields, paged
from mymozhem.api.request_models import (
    ImportBody,
    JoinBody,
    ParticipantPatch,
    ReasonBody,
    RenameBody,
)
from mymozhem.api.request_pipeline import Call
from mymozhem.api.responses import Page
from mymozhem.api.routes import Routes
from mymozhem.errors import NotFound
from mymozhem.rooms.participants import manage
from mymozhem.rooms.participants.manage import NewPerson, PersonChanges
from mymozhem.rooms.views.account import code_for
from mymozhem.rooms.views.base import View
from mymozhem.rooms.views.participants import (
    PeopleFilter,
    SeenParticipant,
    participant,
)
from mymozhem.rooms.views.participants import participants as found_participants

from .auth import Entered, entered, join_by_code

routes = Routes("participants", "People in a room.")
IMPORT_BYTES = 4 * 1024 * 1024


class Imported(View):
    """Who was put into the room."""

    participant_ids: list[str]


@routes.add("POST /rooms/{id}/participants", status=201, refuses=frozenset({410}))
async def join_room(call: Call, id: str, body: JoinBody) -> Entered:
    """Come into a room; a private one takes its code."""
    code = await code_for(call.services.database, id, call.caller, body.code)
    joined = await join_by_code(call, code, name=body.name, answers=body.answers)
    if joined.room.id != id:
        raise NotFound("There is no such room.", code="ROOM_NOT_FOUND")
    return entered(call, joined)


@routes.add("GET /rooms/{id}/participants")
async def list_participants(call: Call, id: str, query: PeopleQuery) -> Page[SeenParticipant]:
    """List people by name; their details to those who help to run the room."""
    check_fields(query.fields, SeenParticipant)
    wanted = PeopleFilter(role=query.role, status=query.status, name=query.name)
    found = await found_participants(call.services, id, call.principal, wanted, query.part)
    return paged(found, query)


@routes.add("POST /rooms/{id}/participants/import", status=201, max_bytes=IMPORT_BYTES)
async def import_participants(call: Call, id: str, body: ImportBody) -> Imported:
    """Put people into the room, with or without a phone, all or none."""
    new = tuple(NewPerson(each.name, each.metadata) for each in body.people)
    rows = await manage.add_people(call.services, id, call.caller, new)
    return Imported(participant_ids=[row.id for row in rows])


@routes.add("DELETE /rooms/{id}/participants/me", refuses=frozenset({409}))
async def leave_room(call: Call, id: str) -> None:
    """Leave the room; who comes back finds their place as it was."""
    await manage.leave(call.services, id, call.caller)


@routes.add("GET /rooms/{id}/participants/{pid}")
async def get_participant(call: Call, id: str, pid: str) -> SeenParticipant:
    """Return one participant."""
    return await _shown(call, id, pid)


@routes.add("PATCH /rooms/{id}/participants/{pid}", refuses=frozenset({409}))
async def change_participant(
    call: Call, id: str, pid: str, body: ParticipantPatch
) -> SeenParticipant:
    """Rename somebody, or oneself; roles and metadata are for organizers."""
    changes = PersonChanges(name=body.name, role=body.role, metadata=body.metadata)
    await manage.change_person(call.services, id, call.caller, pid, changes)
    return await _shown(call, id, pid)


@routes.add("DELETE /rooms/{id}/participants/{pid}", refuses=frozenset({409}))
async def remove_participant(call: Call, id: str, pid: str, body: ReasonBody) -> None:
    """Send somebody away; of oneself, leave."""
    await manage.remove_or_leave(call.services, id, call.caller, pid, body.reason)


@routes.add("POST /rooms/{id}/participants/{pid}/approve")
async def approve_participant(call: Call, id: str, pid: str) -> SeenParticipant:
    """Let somebody in who waits, was turned away or removed."""
    await manage.approve(call.services, id, call.caller, pid)
    return await _shown(call, id, pid)


@routes.add("POST /rooms/{id}/participants/{pid}/reject")
async def reject_participant(call: Call, id: str, pid: str, body: ReasonBody) -> SeenParticipant:
    """Turn somebody away who waits."""
    await manage.reject(call.services, id, call.caller, pid, body.reason)
    return await _shown(call, id, pid)


@routes.add("POST /rooms/{id}/participants/{pid}/rename")
async def rename_participant(call: Call, id: str, pid: str, body: RenameBody) -> SeenParticipant:
    """Give somebody another name."""
    await manage.change_person(call.services, id, call.caller, pid, PersonChanges(name=body.name))
    return await _shown(call, id, pid)


async def _shown(call: Call, room_id: str, participant_id: str) -> SeenParticipant:
    return await participant(call.services, room_id, call.principal, participant_id)
