"""Rooms, as callers see them: a card for strangers, the room for its people, its code for staff."""

from collections.abc import Mapping
from functools import lru_cache

from pydantic import Field, JsonValue

from mymozhem.auth.tables import UserRow
from mymozhem.contract import JsonObject, Level, Role, RoomStatus
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import project
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.tables.rooms import EntryPolicy, RoomRow

from .base import PersonView, Timestamp, View

#: what the people of a room may know of its app; the settings, with their defaults, are not
_OF_MANIFEST = ("manifestVersion", "id", "meta", "contract", "registration", "ui", "locales")
_PLAYED_BY = frozenset({Role.PARTICIPANT, Role.VIEWER})


class AppView(View):
    """The app of a room, in the version that the room is locked to."""

    app_id: str
    manifest_version: str
    name: str
    manifest: JsonObject | None = None


class RoomCounts(View):
    """How many people and prizes a room has."""

    participants: int
    prizes: int


class RoomView(View):
    """A room as one caller sees it.

    Strangers to a public room see no settings, and nothing that only matters inside. `code` and
    `shortCode` are shown to its staff; `shortCode` is six digits, null unless the room is active
    and its doors are unlocked. `_count` repeats the counts, for clients of the first platform.
    """

    id: str
    name: str
    status: RoomStatus
    app_id: str
    app: AppView
    is_public: bool | None = None
    description: str | None = None
    locale: str | None = None
    app_settings: JsonObject | None = None
    app_manifest_version: str | None = None
    entry_policy: EntryPolicy | None = None
    capacity: int | None = None
    doors_locked: bool | None = None
    continues: str | None = None
    draw_anchor: str | None = None
    version: int | None = None
    created_by: str | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    deleted_at: Timestamp | None = None
    organizer: PersonView | None = None
    participant_count: int | None = None
    prize_count: int | None = None
    counts: RoomCounts | None = Field(default=None, alias="_count")
    role: Role | None = None
    code: str | None = None
    short_code: str | None = None


def person_view(row: UserRow) -> PersonView:
    """Return a person as others see them."""
    return PersonView(id=row.id, name=row.name, avatar=row.avatar_url)


def card_view(
    room: RoomRow, manifest: Manifest, *, organizer: UserRow, prize_count: int
) -> RoomView:
    """Return what a stranger sees of a public room."""
    return RoomView(
        id=room.id,
        name=room.name,
        status=room.status,
        app_id=room.app_id,
        app=_app(room, manifest),
        is_public=room.is_public,
        description=room.description,
        locale=room.locale,
        app_manifest_version=room.app_manifest_version,
        created_by=room.created_by,
        created_at=room.created_at,
        updated_at=room.updated_at,
        ended_at=room.ended_at,
        organizer=person_view(organizer),
        participant_count=room.active_count,
        prize_count=prize_count,
        counts=RoomCounts(participants=room.active_count, prizes=prize_count),
    )


def room_view(
    membership: Membership,
    manifest: Manifest,
    *,
    organizer: UserRow,
    prize_count: int,
    whole: bool = True,
) -> RoomView:
    """Return a room as the caller sees it; the manifest is included only if `whole`."""
    room = membership.room
    if membership.role is None:
        return card_view(room, manifest, organizer=organizer, prize_count=prize_count)
    shown = RoomView(
        id=room.id,
        name=room.name,
        status=room.status,
        app_id=room.app_id,
        app=_app(room, manifest, level=membership.level if whole else None),
        is_public=room.is_public,
        description=room.description,
        locale=room.locale,
        app_settings=settings_view(room, manifest, membership.level),
        app_manifest_version=room.app_manifest_version,
        entry_policy=room.entry_policy,
        capacity=room.capacity,
        doors_locked=room.doors_locked,
        continues=room.continues,
        draw_anchor=room.draw_anchor,
        version=room.version,
        created_by=room.created_by,
        created_at=room.created_at,
        updated_at=room.updated_at,
        ended_at=room.ended_at,
        deleted_at=room.deleted_at,
        organizer=person_view(organizer),
        participant_count=room.active_count,
        prize_count=prize_count,
        counts=RoomCounts(participants=room.active_count, prizes=prize_count),
        role=membership.role,
    )
    helper = membership.level is Level.ORGANIZER
    if not helper:
        return shown
    return shown.model_copy(update={"code": room.code, "short_code": room.short_code})


def settings_view(room: RoomRow, manifest: Manifest, level: Level) -> JsonObject:
    """Return the settings that a level may see, by their `x-visibility`."""
    shown: JsonValue = project(manifest.settings or {}, room.app_settings, level)
    return shown if isinstance(shown, dict) else {}


def manifest_view(manifest: Manifest, level: Level) -> JsonObject:
    """Return a manifest for a level: whole for organizers, without private parts for others."""
    if level is Level.ORGANIZER:
        return manifest.document
    return _for_players(_ByDigest(manifest))


class _ByDigest:
    """A manifest that equals others with the same digest."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    def __hash__(self) -> int:
        return hash(self.manifest.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByDigest) and other.manifest.digest == self.manifest.digest


@lru_cache(maxsize=256)
def _for_players(given: _ByDigest) -> JsonObject:
    manifest = given.manifest
    shown = {name: manifest.document[name] for name in _OF_MANIFEST if name in manifest.document}
    played = [name for name, spec in manifest.actions.items() if spec.roles & _PLAYED_BY]
    public = [name for name, spec in manifest.events.items() if spec.visibility is Level.PUBLIC]
    return shown | {
        "actions": _only(manifest.document.get("actions"), played),
        "events": _only(manifest.document.get("events"), public),
    }


def _only(declared: JsonValue, names: list[str]) -> JsonObject:
    return {name: declared[name] for name in names} if isinstance(declared, Mapping) else {}


def _app(room: RoomRow, manifest: Manifest, *, level: Level | None = None) -> AppView:
    card = AppView(
        app_id=room.app_id,
        manifest_version=room.app_manifest_version,
        name=manifest.meta.name,
    )
    if level is None:
        return card
    return card.model_copy(update={"manifest": manifest_view(manifest, level)})
