"""The message of a demo that is ready: the address, the logins, and a first draw."""

import sys

from mymozhem.config import Settings
from mymozhem.contract import RoomStatus

from .setup import DemoHost

_PARTS = {
    "head": """\
The demo is at {url} (API: {url}/docs). Its data are in {folder};
delete that folder to begin again. These logins exist only here:

  organizer   {organizer.email}   {organizer.password}
  admin       {admin.email}       {admin.password}

Rooms:
{rooms}
""",
    "draw": """
Draw “{room.name}” and verify it. In another terminal:

  API={url}/api/v1 ROOM={room.id}
  json() {{ {python} -c "import json,sys; print(json.load(sys.stdin)['data']$1)"; }}
  TOKEN=$(curl -s $API/auth/login -H 'Content-Type: application/json' \\
    -d '{{"email": "{organizer.email}", "password": "{organizer.password}"}}' \\
    | json "['accessToken']")
  DRAW=$(curl -s -X POST $API/rooms/$ROOM/draws -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/json' -d '{{"run": true, "reveal": "now"}}' | json "['id']")
  sleep 1; curl -s $API/rooms/$ROOM/draws/$DRAW/record > record.json
  {command} draw verify record.json
""",
}


def startup_message(settings: Settings, host: DemoHost, *, command: str = "mymozhem") -> str:
    """Return the message of a demo that is ready; `command` is how to run the command line."""
    running = [each.room for each in host.filled.rooms if each.room.status is RoomStatus.ACTIVE]
    facts = {
        "url": settings.effective_public_url,
        "folder": settings.data_dir,
        "organizer": host.organizer,
        "admin": host.admin,
        "rooms": _rooms(host),
        "command": command,
        "python": sys.executable,
    }
    text = _PARTS["head"].format(**facts)
    if running:
        text += _PARTS["draw"].format(**facts, room=running[0])
    return text


def _rooms(host: DemoHost) -> str:
    rows = [
        f"  {each.room.status:<10} {each.room.code}   {each.room.name} ({each.room.app_id})"
        for each in host.filled.rooms
    ]
    rows += [f"  (not running) {reason}" for reason in host.filled.refused]
    return "\n".join(rows) or "  none: install an app that brings sample rooms"
