"""Requests as older versions of the contract have them: fields that came later keep their default.

A field with its default is left out of the JSON (see `Since`), so that a strict reader of an older
version never meets a field that it does not know. Inside the host the app finds the default.
"""

from functools import cache
from typing import TypeVar

from pydantic import BaseModel

from mymozhem.contract.versions import CONTRACT_VERSION, as_version
from mymozhem.contract.wire import Since

from .transports.model_copies import with_values

M = TypeVar("M", bound=BaseModel)


def as_of(model: M, version: str) -> M:
    """Return a request as this version of the contract has it; the same object if it has all."""
    return model if version == CONTRACT_VERSION else _older(model, version)


def _older(model: M, version: str) -> M:
    kind = type(model)
    changed: dict[str, object] = {
        name: kind.model_fields[name].get_default() for name in later_fields(kind, version)
    }
    for name, value in model.__dict__.items():
        if name in changed:
            continue
        if isinstance(value, BaseModel):
            changed[name] = _older(value, version)
        elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
            changed[name] = tuple(_older(each, version) for each in value)
    return with_values(model, changed) if changed else model


@cache
def later_fields(kind: type[BaseModel], version: str) -> tuple[str, ...]:
    """Return the fields of a model that came after a version of the contract."""
    known = as_version(version)
    return tuple(
        name
        for name, field in kind.model_fields.items()
        if any(isinstance(mark, Since) and as_version(mark.version) > known
               for mark in field.metadata)
    )  # fmt: skip
