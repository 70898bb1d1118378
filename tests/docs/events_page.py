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

Everything that happens in a room is appended to its log, in the transaction in which it happens.
`GET /rooms/{id}/events` reads it: each event has a `cursor`, a `type`, its `level` or the
participant whom it is for, a `payload` and a moment. Ask with `after=CURSOR` for what came later.
A cursor is opaque: keep it, send it back, make nothing of it.

You see the events of your level. `public` is for everybody in the room, `organizer` for
organizers, moderators and administrators, `private` for nobody outside the host and the app. Some
events are for one participant alone.

Events of apps are called `appId:name`; the app's manifest declares each with its level and the
schema of its payload. The events below are the host's own. No event carries a name, an address or
an answer: people are ids, which the API resolves for those who may.

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
