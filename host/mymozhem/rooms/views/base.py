"""Views: frozen values with only the fields of the caller's level; other fields are never set.

A field that was not set is absent from the JSON; null means that there is no value.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from mymozhem.clock import iso
from mymozhem.contract import JsonObject

Timestamp = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2030-01-01T12:00:00.000Z"]}
    ),
]


class View(BaseModel):
    """A value as a caller sees it."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class PersonView(View):
    """A person as others see them; never an e-mail address."""

    id: str
    name: str
    avatar: str | None


class Deleted(View):
    """What was deleted, and when."""

    success: Literal[True]
    id: str
    deleted_at: Timestamp


def deleted(id: str, at: datetime) -> Deleted:
    """Return the response for something that was deleted."""
    return Deleted(success=True, id=id, deleted_at=at)


def to_json(view: BaseModel) -> JsonObject:
    """Return a view as JSON: in camelCase, without unset fields."""
    return view.model_dump(mode="json", by_alias=True, exclude_unset=True)
