"""Replace lists that make a request body too large by references to stored lists.

A list is a tuple of the request, or a model that consists of parallel arrays; the largest are
replaced first, until the rest fits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from mymozhem.contract.envelopes import MAX_BODY_BYTES, ListRef
from mymozhem.dispatch.outcome import CallFailed, FailureKind
from mymozhem.dispatch.transports.base import HookCall
from mymozhem.dispatch.transports.model_copies import with_values

from .request import body_of

#: more than a reference and its path take
_REF_BYTES = 1_024

M = TypeVar("M", bound=BaseModel)


class Lists(Protocol):
    """Stores long lists until they are fetched."""

    async def put(self, app_id: str, data: bytes, count: int, /) -> ListRef:
        """Store the JSON of a list of `rows` rows, and return a reference to fetch it."""
        ...


@dataclass(frozen=True)
class _Found:
    """A list in a call; `path` are the fields that lead to it."""

    path: tuple[str, ...]
    pointer: str
    data: bytes
    count: int


async def fitting_body(
    call: HookCall, lists: Lists, *, platform_form: bool, public_url: str = ""
) -> bytes:
    """Return the body of a call, with its largest lists stored in `lists` if it is too large.

    Raises `CallFailed` if it is too large even so; nothing is stored then.
    """
    size = len(body_of(call, platform_form=platform_form, public_url=public_url))
    chosen: list[_Found] = []
    for found in sorted(_lists_of(call), key=lambda each: len(each.data), reverse=True):
        if size <= MAX_BODY_BYTES or len(found.data) <= _REF_BYTES:
            break
        chosen.append(found)
        size -= len(found.data) - _REF_BYTES
    if size > MAX_BODY_BYTES:
        message = f"The request is larger than {MAX_BODY_BYTES} bytes, so it was not sent."
        raise CallFailed(FailureKind.REFUSED_CALL, message)
    context, request = call.context, call.request
    for found in chosen:
        reference = await lists.put(call.app.app_id, found.data, found.count)
        part, *path = found.path
        if part == "context":
            context = _replaced(context, path, reference)
        else:
            request = _replaced(request, path, reference)
    told = call._replace(context=context, request=request)
    pointers = tuple(found.pointer for found in chosen)
    return body_of(told, platform_form=platform_form, lists=pointers, public_url=public_url)


def _lists_of(call: HookCall) -> Iterator[_Found]:
    yield from _inside(call.context, ("context",), "/context")
    yield from _inside(call.request, ("request",), "/request")


def _inside(model: BaseModel, path: tuple[str, ...], pointer: str) -> Iterator[_Found]:
    for name, field in type(model).model_fields.items():
        value, there = getattr(model, name), (*path, name)
        place = f"{pointer}/{field.serialization_alias or name}"
        if isinstance(value, tuple):
            yield _Found(there, place, to_json(value, by_alias=True), len(value))
        elif isinstance(value, BaseModel):
            rows = _rows(value)
            if rows is None:
                yield from _inside(value, there, place)
            else:
                yield _Found(there, place, to_json(value, by_alias=True), rows)


def _rows(model: BaseModel) -> int | None:
    """Return how many rows a model of parallel arrays has; None if it is not such a model."""
    arrays = [getattr(model, name) for name in type(model).model_fields]
    if not arrays or not all(isinstance(each, tuple) for each in arrays):
        return None
    return max(map(len, arrays))


def _replaced(model: M, path: list[str], reference: ListRef) -> M:
    name, *deeper = path
    if not deeper:
        return with_values(model, {name: reference})
    return with_values(model, {name: _replaced(getattr(model, name), deeper, reference)})
