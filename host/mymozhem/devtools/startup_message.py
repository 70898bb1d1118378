"""The message of `mymozhem app dev`: the address, the participants, the commands to type."""

import json
import shlex

from mymozhem.demo.accounts import Login
from mymozhem.manifests.model import Manifest
from mymozhem.testing.schema_values import values_for

from .app_profile import AppProfile
from .dev_room import DevRoom

_HEAD = """\

{name} {version} runs at {address} (API: {address}/docs)
  room       {room} (“Trial”, {status}), code {code}
  phones     {phones}
  organizer  {organizer.email}   {organizer.password}
"""
_TYPE = """
In another terminal:

  ROOM={address}/api/v1/rooms/{room}
  TOKEN={token}
  curl -sS $ROOM/state  -H "Authorization: Bearer $TOKEN"
  curl -sS $ROOM/events -H "Authorization: Bearer $TOKEN"
{actions}"""
_ACTION = """\
  curl -sS -X POST $ROOM/actions/{name} -H "Authorization: Bearer $TOKEN" \\
    -H 'Content-Type: application/json' -d {payload}
"""
_KEYS = """
p + Enter: everybody tries something. s + Enter: the scenario is played. f + Enter: the last call is
shown whole. q + Enter or Ctrl+C: the end. A saved file is loaded at once.
"""


def startup_message(
    address: str, card: AppProfile, party: DevRoom, organizer: Login, token: str, *, kept: bool
) -> str:
    """Return the message; a short one if the room was kept."""
    manifest = Manifest.of(card.manifest, registered_as=card.app_id)
    people = ", ".join(each.name for each in party.phones) or "none"
    facts = {
        "name": manifest.meta.name,
        "version": manifest.version,
        "address": address,
        "room": party.room_id,
        "code": party.code,
        "status": party.status,
        "phones": people,
        "organizer": organizer,
        "token": token,
        "actions": _actions(manifest),
    }
    if kept:
        return "{name} {version} runs again, in the same room: {phones}.\n".format(**facts)
    refusals = "".join(f"  not so      {each}\n" for each in party.refusals)
    return _HEAD.format(**facts) + refusals + _TYPE.format(**facts) + _KEYS


def _actions(manifest: Manifest) -> str:
    """Return commands for the first two actions, with payloads that satisfy their schemas."""
    lines = ""
    for name, spec in list(manifest.actions.items())[:2]:
        found = values_for(spec.payload) if spec.payload else []
        shortest = min((json.dumps(each, ensure_ascii=False) for each in found or [{}]), key=len)
        lines += _ACTION.format(name=name, payload=shlex.quote(shortest))
    return lines
