"""Long lists outside the body: find them by their pointers, fetch, check and insert them."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.contract.envelopes import ListRef, RequestEnvelope

from .asgi_messages import Problem
from .list_fetch import Fetch, FetchFailed


@dataclass(frozen=True)
class Place:
    """The place of a list in a request, and its reference."""

    pointer: str
    container: dict[str, JsonValue] | list[JsonValue]
    key: str
    reference: ListRef

    def put(self, value: JsonValue) -> None:
        """Put a value in this place; this changes the request itself."""
        if isinstance(self.container, dict):
            self.container[self.key] = value
        else:
            self.container[int(self.key)] = value


def places(envelope: RequestEnvelope) -> tuple[Place, ...]:
    """Return the places of lists in context and request; `Problem` 400 for a wrong pointer.

    The first platform's fields are ignored: the hooks of this contract do not see them.
    """
    return tuple(_place(envelope, pointer) for pointer in envelope.lists)


def stand_in(found: Sequence[Place]) -> None:
    """Reduce every list to what is the same in each attempt: its digest and its count."""
    for each in found:
        each.put({"digest": each.reference.digest, "count": each.reference.count})


async def resolve(found: Sequence[Place], fetch: Fetch, *, now: float, seconds: float) -> None:
    """Fetch every list and put it in its place.

    Raises `Problem`: 502 if a list cannot be fetched, 400 if it is not the one that the request
    names, or has expired.
    """
    values = await asyncio.gather(*(_fetched(each, fetch, now, seconds) for each in found))
    for each, value in zip(found, values, strict=True):
        each.put(value)


async def _fetched(place: Place, fetch: Fetch, now: float, seconds: float) -> JsonValue:
    if place.reference.expires_at.timestamp() < now:
        raise Problem(
            400, "LIST_EXPIRED", f"The list at {place.pointer} has expired; send a new call."
        )
    try:
        body = await fetch(place.reference.url, seconds)
    except FetchFailed as error:
        message = f"The list at {place.pointer}: {error}."
        raise Problem(502, "LIST_UNAVAILABLE", message) from error
    if hashlib.sha256(body).hexdigest() != place.reference.digest:
        raise _invalid(f"the list at {place.pointer} is not the one that its digest names")
    try:
        value: JsonValue = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"the list at {place.pointer} is no JSON") from error
    return value


def _place(envelope: RequestEnvelope, pointer: str) -> Place:
    container, key = _parent(envelope, pointer)
    try:
        found = container[key] if isinstance(container, dict) else container[int(key)]
        return Place(pointer, container, key, ListRef.model_validate(found))
    except (LookupError, ValueError) as error:  # pydantic's ValidationError is one
        raise _invalid(f"there is no reference to a list at {pointer[:200]!r}") from error


def _parent(
    envelope: RequestEnvelope, pointer: str
) -> tuple[dict[str, JsonValue] | list[JsonValue], str]:
    """Return the container of the place that a JSON Pointer (RFC 6901) names, and the last key."""
    root, *path = (part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/"))
    parts: dict[str, JsonValue] = {"context": envelope.context, "request": envelope.request}
    if root or len(path) < 2 or path[0] not in parts:  # noqa: PLR2004  a part, and a place in it
        raise _invalid(f"{pointer[:200]!r} is neither in /context nor in /request")
    found = parts[path[0]]
    for each in path[1:-1]:
        if isinstance(found, dict):
            found = found.get(each)
        elif isinstance(found, list) and each.isdecimal() and int(each[:9]) < len(found):
            found = found[int(each)]
        else:
            found = None
    if not isinstance(found, dict | list):
        raise _invalid(f"there is nothing at {pointer[:200]!r}")
    return found, path[-1]


def _invalid(message: str) -> Problem:
    return Problem(400, "LIST_INVALID", f"The request is malformed: {message}.")
