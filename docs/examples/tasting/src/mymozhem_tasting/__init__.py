"""A blind tasting: sample after sample is rated, and only then the bottles are shown.

Every hook is a pure function of its request. The host keeps the ratings while a sample is open,
lets people change them, and asks `close_window` once what comes of them.
"""

from mymozhem.contract import JsonObject, hookimpl, read_manifest

from .actions import handle_action
from .closing import close_window, on_room_changed
from .settings import validate_settings

__all__ = [
    "app_manifest",
    "close_window",
    "handle_action",
    "on_room_changed",
    "validate_settings",
]


@hookimpl
def app_manifest() -> JsonObject:
    """Return the manifest that the package ships."""
    return read_manifest(__package__)
