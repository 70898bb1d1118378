"""Update a room's settings: complete, valid under the locked manifest, frozen while it runs."""

from pydantic import JsonValue

from mymozhem.contract import Change, ChangeKind, JsonObject, RoomStatus, SettingsValidationResult
from mymozhem.contract.events import RoomUpdated
from mymozhem.db.json_text import dump
from mymozhem.dispatch.outcome import Outcome
from mymozhem.errors import Conflict, Invalid, TooLarge
from mymozhem.manifests.declared_settings import declared_only
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import apply_defaults, live_only, merge_patch
from mymozhem.manifests.validation_errors import by_field
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.rooms import RoomRow

MAX_SETTINGS_BYTES = 256 * 1024


class SettingsFrozen(Conflict):
    """The room is running; only settings marked as live may change."""

    default_code = "SETTINGS_FROZEN"


def complete_settings(manifest: Manifest, given: JsonObject) -> JsonObject:
    """Return settings completed by their defaults and valid under the manifest.

    Raises Invalid, which names every field, and TooLarge over 256 KiB.
    """
    complete = apply_defaults(manifest.settings_outline, dict(given))
    check_settings(manifest, complete)
    _check_size(complete)
    return as_object(complete)


def check_settings(manifest: Manifest, settings: JsonValue) -> None:
    """Raise Invalid if settings break the manifest's schema."""
    problems = manifest.settings_validator.errors(settings)
    if problems:
        message = "The settings do not fit the app's manifest."
        fields = by_field(problems, under="/appSettings")
        raise Invalid(message, code="SETTINGS_INVALID", fields=fields)


def _check_size(settings: JsonValue) -> None:
    size = len(dump(settings).encode())
    if size > MAX_SETTINGS_BYTES:
        message = f"The settings take {size} bytes; at most {MAX_SETTINGS_BYTES} are kept."
        raise TooLarge(message, code="SETTINGS_TOO_LARGE")


def as_object(value: JsonValue) -> JsonObject:
    """Return settings as an object; Invalid if they are something else."""
    if not isinstance(value, dict):
        raise Invalid(code="SETTINGS_INVALID", fields={"/appSettings": ["Settings are an object."]})
    return value


def stored_settings(manifest: Manifest, room: RoomRow) -> JsonObject:
    """Return the settings of a room without names that its manifest does not declare.

    Hosts before the schema was closed may have stored some; they go with the next change.
    """
    return as_object(declared_only(manifest.settings_outline, room.app_settings))


def merged_settings(manifest: Manifest, before: JsonObject, patch: JsonObject | None) -> JsonObject:
    """Return settings with a patch merged in, complete and valid; see `complete_settings`."""
    return complete_settings(manifest, as_object(merge_patch(before, patch or {})))


def require_not_frozen(
    status: RoomStatus, manifest: Manifest, before: JsonObject, after: JsonObject
) -> None:
    """Raise SettingsFrozen if more changes than the room's status allows."""
    if status is RoomStatus.DRAFT or before == after:
        return
    frozen = live_only(manifest.settings_outline, before, after)
    if status is not RoomStatus.ACTIVE or frozen:
        raise SettingsFrozen(details={"settings": list(frozen)})


def patch_settings(transaction: RoomTransaction, patch: JsonObject) -> None:
    """Merge a patch into the room's settings, log the change and notify the app."""
    room, manifest = transaction.room, transaction.manifest
    before = stored_settings(manifest, room)
    settings = merged_settings(manifest, before, patch)
    require_not_frozen(room.status, manifest, before, settings)
    store_settings(transaction, settings)


def store_settings(transaction: RoomTransaction, settings: JsonObject) -> None:
    """Store checked settings; nothing happens if they are unchanged."""
    room = transaction.room
    if settings == room.app_settings:
        return
    changed = sorted(
        key
        for key in settings.keys() | room.app_settings.keys()
        if settings.get(key) != room.app_settings.get(key)
    )
    room.app_settings = settings
    room.settings_version += 1
    transaction.touch()
    transaction.record(RoomUpdated(fields=tuple(f"appSettings/{key}" for key in changed)))
    transaction.changed(Change(kind=ChangeKind.SETTINGS, what="updated"))


def require_no_problems(outcome: Outcome[SettingsValidationResult]) -> None:
    """Raise if the app found problems with settings, refused them, or failed and must decide."""
    outcome.raise_if_refused()
    outcome.raise_if_failed(for_staff=True)
    if outcome.result is None or not outcome.result.problems:
        return
    message = "The app does not accept these settings."
    fields = by_field(outcome.result.problems, under="/appSettings")
    raise Invalid(message, code="SETTINGS_INVALID", fields=fields)
