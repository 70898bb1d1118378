"""Rooms: create, find, change, play and delete them."""

import re
from typing import Annotated

from pydantic import JsonValue

from mymozhem.api.query_models import EventsQuery, RoomsQuery, check_fields, paged
from mymozhem.api.request_models import CopyBody, NewRoomBody, Payload, RoomPatch
from mymozhem.api.request_parsing import given_fields
from mymozhem.api.request_pipeline import RequestContext
from mymozhem.api.responses import Answer, Page
from mymozhem.api.routes import Routes
from mymozhem.auth.access_rules import AppPermissionDenied
from mymozhem.contract import JsonObject
from mymozhem.errors import BadRequest
from mymozhem.rooms.actions.perform import perform
from mymozhem.rooms.app_calls.retry import retry_room
from mymozhem.rooms.core.revision import RoomChanged
from mymozhem.rooms.lifecycle import update
from mymozhem.rooms.lifecycle.create import NewRoom, create_room
from mymozhem.rooms.lifecycle.create import copy_room as copy
from mymozhem.rooms.lifecycle.update import RoomChanges
from mymozhem.rooms.prizes.manage import NewPrize
from mymozhem.rooms.views.base import Deleted, View, deleted
from mymozhem.rooms.views.locks import LockView, read_lock
from mymozhem.rooms.views.log import read_log
from mymozhem.rooms.views.room_models import RoomView
from mymozhem.rooms.views.rooms import RoomFilter
from mymozhem.rooms.views.snapshot import LoggedEvent, Snapshot, Waiting, read_state

#: a room that is encoded as JSON already
Shown = Annotated[JsonObject, RoomView]

routes = Routes("rooms", "Rooms: create, find, change and play them.")
_CARD = ("name", "description", "locale", "is_public", "entry_policy", "capacity", "doors_locked")
_ETAG = re.compile(r'"v(\d{1,15})"')


class ReplyView(View):
    """An app's reply to an action, and the caller's cursor right after it."""

    reply: JsonValue
    cursor: str


@routes.add("POST /rooms", status=201, refuses=frozenset({404}))
async def create_a_room(context: RequestContext, body: NewRoomBody) -> Answer[Shown]:
    """Create a room in DRAFT, locked to the newest version of its app; the caller organizes it."""
    if context.on_behalf is not None and context.on_behalf.app_id != body.app_id:
        message = "An app may create rooms that use it, and no others."
        raise AppPermissionDenied(context.on_behalf.permissions, message=message)
    prizes = tuple(
        NewPrize(
            each.name,
            quantity=each.quantity,
            description=each.description,
            image_url=each.image_url,
            metadata=each.metadata,
        )
        for each in body.prizes
    )
    new = NewRoom(
        name=body.name,
        app_id=body.app_id,
        version=body.app_manifest_version,
        settings=body.app_settings,
        description=body.description,
        locale=body.locale,
        is_public=body.is_public,
        entry_policy=body.entry_policy,
        capacity=body.capacity,
        continues=body.continues,
        prizes=prizes,
    )
    return await _shown(context, (await create_room(context.services, context.caller, new)).id)


@routes.add("GET /rooms")
async def list_rooms(context: RequestContext, query: RoomsQuery) -> Page[RoomView]:
    """List public rooms and the caller's own, newest first; admins see all rooms."""
    check_fields(query.fields, RoomView)
    behalf = context.on_behalf
    wanted = RoomFilter(
        only_app=behalf.app_id if behalf else None,
        status=query.status,
        app_id=query.app_id,
        created_by=query.created_by,
        is_public=query.is_public,
        mine=query.mine,
    )
    return paged(await context.host.reader.rooms(context.principal, wanted, query.part), query)


@routes.add("GET /rooms/{id}")
async def get_room(context: RequestContext, id: str) -> Answer[Shown]:
    """Return a room; everybody can see the name, app and status of a public one."""
    return await _shown(context, id)


@routes.add("PATCH /rooms/{id}", refuses=frozenset({409, 412}))
async def change_room(context: RequestContext, id: str, body: RoomPatch) -> Answer[Shown]:
    """Change a room's description, its settings (a merge patch) or its status, all or none.

    With `If-Match`, only if nobody has changed it since.
    """
    changes = RoomChanges(
        fields=_fields(body),
        settings=body.app_settings if "app_settings" in body.model_fields_set else None,
        status=body.status,
        expected=expected_version(context.if_match),
    )
    await update.change_room(context.services, id, context.caller, changes)
    return await _shown(context, id)


@routes.add("DELETE /rooms/{id}", refuses=frozenset({409}))
async def delete_room(context: RequestContext, id: str) -> Deleted:
    """Delete a room that is not running."""
    return deleted(id, await update.delete_room(context.services, id, context.caller))


@routes.add("GET /rooms/{id}/lock")
async def get_lock(context: RequestContext, id: str) -> LockView:
    """Return the room's lock and its earlier ones, by digest, and who is responsible for each."""
    return await read_lock(context.services, id, context.principal)


@routes.add("GET /rooms/{id}/state")
async def get_state(context: RequestContext, id: str) -> Snapshot:
    """Return the room's state at the caller's level, and its cursor."""
    return await read_state(context.services, id, context.principal)


@routes.add("GET /rooms/{id}/events")
async def list_events(context: RequestContext, id: str, query: EventsQuery) -> list[LoggedEvent]:
    """Return the events after a cursor that the caller's level sees, oldest first."""
    return await read_log(
        context.services, id, context.principal, after=query.after, limit=query.limit
    )


@routes.add("POST /rooms/{id}/actions/{action}")
async def post_action(context: RequestContext, id: str, action: str, body: Payload) -> ReplyView:
    """Call an action of the room's app; its effects are applied all or none."""
    acted = await perform(context.services, id, context.caller, action, body.root)
    return ReplyView(reply=acted.reply, cursor=acted.cursor)


@routes.add("POST /rooms/{id}/retry")
async def retry_calls(context: RequestContext, id: str) -> Waiting:
    """Retry all calls now that wait for the room's app to be back."""
    return Waiting(waiting=await retry_room(context.services, id, context.caller))


@routes.add("POST /rooms/{id}/copy", status=201)
async def copy_room(context: RequestContext, id: str, body: CopyBody) -> Answer[Shown]:
    """Create a new room with the app, settings and prizes of this one, without its people."""
    name = body.name or (await context.host.reader.room(id, context.principal)).room.name
    return await _shown(context, (await copy(context.services, id, context.caller, name)).id)


def expected_version(if_match: str | None) -> int | None:
    """Return the version that a client saw; None for any.

    BadRequest for an invalid ETag, RoomChanged for one that no room ever had.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    given = if_match.strip()
    if not re.fullmatch(r'(W/)?"[!#-~]{0,64}"', given):
        message = 'If-Match takes one ETag, such as "v7", or *.'
        raise BadRequest(message, code="BAD_ETAG")
    found = _ETAG.fullmatch(given)
    if found is None:
        raise RoomChanged
    return int(found[1])


async def _shown(context: RequestContext, room_id: str) -> Answer[Shown]:
    shown = await context.host.reader.room(room_id, context.principal)
    version = shown.room.version
    return Answer(shown.document, etag=None if version is None else f'"v{version}"')


def _fields(body: RoomPatch) -> dict[str, object]:
    """Return the columns that change; only a capacity may be removed."""
    return given_fields(body, _CARD, may_be_null="capacity")
