"""The quiz: so far a manifest with the settings of a room; the game comes with a later version."""

from mymozhem.contract import JsonObject, hookimpl, read_manifest

__all__ = ["app_manifest"]


@hookimpl
def app_manifest() -> JsonObject:
    """Return the manifest that the package ships."""
    return read_manifest(__package__)
