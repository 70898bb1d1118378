"""The base of the documents of a draw."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

#: not every JSON parser keeps integers beyond this limit exactly
MAX_SAFE_INTEGER = 2**53 - 1


class Wire(BaseModel):
    """A frozen document: strict, camelCase in JSON, without unknown members."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        defer_build=True,
    )

    def document(self) -> dict[str, object]:
        """Return the JSON document; digests are computed from it."""
        return self.model_dump(mode="json", by_alias=True)
