"""A blind tasting: people rate one sample after another, and only then see the bottles.

Every hook is a pure function of its request. The host stores the ratings while a sample is open
and lets people change them. Then it calls `close_window` once to get the result.
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
