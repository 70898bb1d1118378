"""Manifests of remote apps for tests, in our format and in the first platform's."""

from typing import Any

from mymozhem.manifests.model import Manifest

BASE_URL = "https://raffle.example.com"

#: as people wrote them for the first platform: no id, no versions of format or contract
FIRST_PLATFORM: dict[str, Any] = {
    "meta": {
        "name": "Holiday Raffle",
        "version": "1.0.0",
        "description": "Draws with decorations.",
        "author": "Some Team",
        "homepage": BASE_URL,
        "icon": f"{BASE_URL}/icon.png",
    },
    "baseUrl": BASE_URL,
    "capabilities": ["winnerSelection", "roomSettings"],
    "permissions": ["rooms:read", "participants:read", "winners:write", "realtime:publish"],
    "webhooks": {"winnerSelection": "/api/platform/winner-selection"},
    "settings": {
        "type": "object",
        "properties": {
            "ticketCount": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100},
            "drawDate": {"type": "string", "format": "date-time"},
            "theme": {"type": "string", "enum": ["new-year", "generic"], "default": "generic"},
        },
        "required": ["ticketCount"],
    },
}


def remote_manifest(version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """Return a manifest of a remote app with one action, in our format."""
    return {
        "contract": ">=1.0 <2.0",
        "meta": {"name": "Raffle", "version": version, "description": "Draws."},
        "baseUrl": BASE_URL,
        "capabilities": ["actions"],
        "permissions": ["rooms:read"],
        "webhooks": {"actions": "/actions"},
        "actions": {"do": {"roles": ["ORGANIZER"]}},
        **more,
    }


def manifest_of(version: str = "1.0.0", app_id: str = "raffle", **more: Any) -> Manifest:
    """Return the same as the registry keeps it."""
    return Manifest.of(remote_manifest(version, **more), registered_as=app_id)
