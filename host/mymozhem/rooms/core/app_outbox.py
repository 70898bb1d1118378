"""Notifications to a room's app: written in the transaction that causes them, delivered later."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Hook, JsonObject, Level
from mymozhem.contract.hooks import ON_EVENT
from mymozhem.contract.payloads import Acknowledgement, EventRequest, LoggedEvent
from mymozhem.db.unit_of_work import UnitOfWork
from mymozhem.deliveries.outbox import OutboxEntry
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.tables.rooms import RoomRow

from .app_context import build_context
from .services import Services

_LEVELS = frozenset(str(level) for level in Level)


@dataclass(frozen=True)
class AppNotification:
    """One notification that a hook of the app receives."""

    hook: Hook[BaseModel, Acknowledgement]
    request: BaseModel


def event_notification(event: Mapping[str, Any]) -> AppNotification:
    """Return the notification about a log entry; the app receives entries of every level."""
    stream = str(event["stream"])
    is_level = stream in _LEVELS
    logged = LoggedEvent(
        type=event["type"],
        level=Level(stream) if is_level else None,
        participant_id=None if is_level else stream,
        payload=event["payload"],
        at=event["created_at"],
    )
    return AppNotification(ON_EVENT, EventRequest(event=logged))


async def enqueue(
    services: Services,
    unit: UnitOfWork,
    room: RoomRow,
    manifest: Manifest,
    notifications: Iterable[AppNotification],
) -> None:
    """Write notifications into the outbox, in order, as the last step of a transaction.

    The context is read at the end of the transaction. All notifications of one hook share it.
    """
    by_hook: defaultdict[Hook[BaseModel, Acknowledgement], list[BaseModel]] = defaultdict(list)
    for each in notifications:
        by_hook[each.hook].append(each.request)
    tellings = [
        OutboxEntry(
            app_id=room.app_id,
            app_version=room.app_manifest_version,
            capability=hook.capability,
            hook=hook.name,
            room_id=room.id,
            context=await _context(unit.session, services, room, manifest, hook, unit.now),
            requests=[_json(request) for request in requests],
            occurred_at=unit.now,
        )
        for hook, requests in by_hook.items()
    ]
    await services.outbox.enqueue(unit, tellings)


async def _context(
    session: AsyncSession,
    services: Services,
    room: RoomRow,
    manifest: Manifest,
    hook: Hook[BaseModel, BaseModel],
    now: datetime,
) -> JsonObject:
    context = await build_context(session, services, room, manifest, hook=hook, now=now)
    # Randomness is for hooks with effects; call id and deadline are each attempt's own.
    return _json(context.model_copy(update={"seed": None}))


def _json(model: BaseModel) -> JsonObject:
    return model.model_dump(mode="json", by_alias=True)
