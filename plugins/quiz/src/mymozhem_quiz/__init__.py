"""The quiz: questions for a room full of phones, in one session or over days.

Every hook is a pure function of its request. The host accepts the answers, keeps their order,
closes the questions on time and adds up the points.
"""

from mymozhem.contract import JsonObject, hookimpl, read_manifest

from .actions import handle_action
from .drawing import prepare_draw
from .migrate import migrate_settings
from .question_close import close_window
from .room_changes import on_room_changed
from .timers import on_timer
from .validation import import_settings, validate_settings

__all__ = [
    "app_manifest",
    "close_window",
    "handle_action",
    "import_settings",
    "migrate_settings",
    "on_room_changed",
    "on_timer",
    "prepare_draw",
    "validate_settings",
]


@hookimpl
def app_manifest() -> JsonObject:
    """Return the manifest that the package ships."""
    return read_manifest(__package__)
