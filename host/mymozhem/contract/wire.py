"""The JSON form of the contract's types: camelCase, frozen."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

JsonObject = dict[str, JsonValue]

Id = Annotated[str, Field(min_length=1, max_length=128)]
ShortText = Annotated[str, Field(max_length=200)]
LongText = Annotated[str, Field(max_length=4000)]


def _in_utc(moment: datetime) -> datetime:
    try:
        moment.astimezone(UTC)
    except OverflowError:
        msg = "in UTC, the year is not between 1 and 9999"
        raise ValueError(msg) from None
    return moment


#: a time with its zone, stored in UTC; any two can be compared
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


@dataclass(frozen=True)
class Since:
    """Marks a field that a version of the contract after 1.0 added.

    Such a field is left out of the JSON while it has its default (`exclude_if`), so that a strict
    reader of an older version never meets it.
    """

    version: str

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonObject:
        """Return the schema of the field, with the version as `x-since`."""
        return {**handler(core), "x-since": self.version}


class Wire(BaseModel):
    """A frozen value that the host sends; older apps ignore fields that a newer host adds."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        defer_build=True,
    )


class Answer(BaseModel):
    """A frozen value that an app sends; an unknown field is an error and is refused.

    So is a number that JSON does not have: NaN is never written as null.
    """

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        allow_inf_nan=False,
        ser_json_inf_nan="constants",
        defer_build=True,
    )


def build_models() -> None:
    """Build the validators of all models that defer this until their first use.

    Building those of the contract takes longer than importing them. A host calls this after its
    start, so that no call has to wait for it. Idempotent and thread-safe.
    """
    for model in dict.fromkeys(_models_below(BaseModel)):
        if model.model_config.get("defer_build"):
            model.model_rebuild(raise_errors=False)


def _models_below(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from _models_below(model)
