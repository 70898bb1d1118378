"""What a caller sees: frozen values with only the fields of their level, the others never set.

A field that was not set is absent from the JSON; null says that there is none.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from mymozhem.clock import iso
from mymozhem.contract import JsonObject

Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2030-01-01T12:00:00.000Z"]}
    ),
]


class View(BaseModel):
    """A value as somebody sees it."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class SeenPerson(View):
    """A person as others see them; never an e-mail address."""

    id: str
    name: str
    avatar: str | None


def written(view: BaseModel) -> JsonObject:
    """Return a view as JSON: in camelCase, without what was never set."""
    return view.model_dump(mode="json", by_alias=True, exclude_unset=True)
