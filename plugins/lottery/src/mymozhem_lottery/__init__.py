"""The lottery: draw prizes among the people in a room, so that strangers can check the result.

Every hook is a pure function of its request. The host draws, keeps the secret and publishes the
record.
"""

from mymozhem.contract import JsonObject, hookimpl, read_manifest

from .actions import handle_action
from .draw_entries import prepare_draw
from .registration import register_participant
from .room_changes import on_room_changed
from .schedule import on_timer
from .validation import validate_settings

__all__ = [
    "app_manifest",
    "handle_action",
    "on_room_changed",
    "on_timer",
    "prepare_draw",
    "register_participant",
    "validate_settings",
]


@hookimpl
def app_manifest() -> JsonObject:
    """Return the manifest that the package ships."""
    return read_manifest(__package__)
