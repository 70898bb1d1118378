"""The JSON form of the contract's types: camelCase, frozen."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

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


class Wire(BaseModel):
    """A frozen value that the host sends; older apps ignore fields that a newer host adds."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore"
    )


class Answer(BaseModel):
    """A frozen value that an app sends; an unknown field is an error and is refused."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid"
    )
