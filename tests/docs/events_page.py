"""The page about the host's own events, written from their types."""

from pydantic import BaseModel, TypeAdapter

from mymozhem.contract.events import (
    HOST_EVENTS,
    HostEvent,
    OwnStateChanged,
    Place,
    StateChanged,
)
from tests.docs.schema_tables import docstring, fields_table

#: what events consist of, and nothing else does
PARTS: tuple[type[BaseModel], ...] = (Place,)

HEAD = """# Events

<!-- Written by `python -m tests.docs.write` from `mymozhem.contract.events`. -->

Every change in a room is appended to its log, in the transaction of the change.
`GET /rooms/{id}/events` returns the log. Each event has a `cursor`, a `type`, a `payload`, a
timestamp, and either a `level` or the participant to whom it is visible. To get later events,
send `after=CURSOR`. A cursor is opaque: store it and send it back, but do not interpret it.

You see the events of your level. `public` events are visible to everybody in the room, `organizer`
events to organizers, moderators and administrators, `private` events to nobody outside the host
and the app. Some events are visible to one participant only.

Events of apps are called `appId:name`. The app's manifest declares each of them with its level and
the schema of its payload. The events below are those of the host. No event contains a name, an
address or an answer. Events contain ids of people, and the API resolves these for callers who may
know them.

| event | who sees it |
| --- | --- |
"""


def events_page() -> str:
    """Return the page about events."""
    table = "\n".join(
        f"| [`{name}`](#{_anchor(name)}) | {_seen(event)} |" for name, event in HOST_EVENTS.items()
    )
    told = "\n".join([*map(_event, HOST_EVENTS.values()), *map(_part, PARTS)])
    return HEAD + table + "\n\n" + told.rstrip() + "\n"


def _event(event: type[HostEvent]) -> str:
    schema = TypeAdapter(event).json_schema(by_alias=True)
    schema["properties"] = {
        name: schema["$defs"].get(each["$ref"].rsplit("/", 1)[1], each) if "$ref" in each else each
        for name, each in schema.get("properties", {}).items()
    }
    return f"## {event.type}\n\n{docstring(event)}\n\n{fields_table(schema, _link)}\n"


def _part(part: type[BaseModel]) -> str:
    schema = TypeAdapter(part).json_schema(by_alias=True)
    return f"## {part.__name__}\n\n{docstring(part)}\n\n{fields_table(schema, _link)}\n"


def _link(name: str) -> str:
    page = "" if name in {part.__name__ for part in PARTS} else "contract.md"
    return f"[{name}]({page}#{name.lower()})"


def _seen(event: type[HostEvent]) -> str:
    if event is OwnStateChanged:
        return "that participant"
    return "the level of the part" if event is StateChanged else f"`{event.level}`"


def _anchor(name: str) -> str:
    return name.replace(":", "")
