"""The public record of a draw, and the digest that seals the whole record."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from mymozhem.contract.canonical_json import digest
from mymozhem.contract.fair.model import (
    AsList,
    Entries,
    Hash,
    Id,
    Moment,
    Pick,
    PublicInput,
    Reserve,
    Rule,
    Wire,
)

FORMAT = "mymozhem-draw-1"
Guarantee = Literal["committed", "beacon"]
"""Who is bound: everybody but the operator, who knew the secret; or, by public sources, all."""


class Chain(Wire):
    """The room's anchor, and the link of this draw."""

    anchor: Hash
    index: Annotated[int, Field(ge=1, le=65_535)]
    link: Hash


class Times(Wire):
    """The time of each step of the draw."""

    anchored: Moment
    committed: Moment
    drawn: Moment
    revealed: Moment


class Reference(BaseModel):
    """A room or draw in a record: its id; further members are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", defer_build=True)

    id: Id


class Record(Wire):
    """The document that is published at the reveal; anybody can recompute the picks from it.

    `reserves` is a member exactly if the rule requests reserves. It is empty if nobody was left, or
    if an app's own algorithm picked.
    """

    format: Literal["mymozhem-draw-1"] = "mymozhem-draw-1"
    room: Id | Reference
    draw: Id | Reference
    chain: Chain
    entries: Entries
    entries_digest: Hash
    rule: Rule
    rule_digest: Hash
    public_inputs: Annotated[tuple[PublicInput, ...], AsList] = ()
    picks: Annotated[tuple[Pick, ...], AsList]
    reserves: Annotated[tuple[Reserve, ...], AsList] | None = None
    guarantee: Guarantee
    verifiable: bool
    at: Times
    record_digest: Hash | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked_for(self, write: SerializerFunctionWrapHandler) -> object:
        written = write(self)
        if self.reserves is None:
            del written["reserves"]
        return written

    def document(self) -> dict[str, object]:
        """Return the JSON document to publish, sealed by the digest of all its other members."""
        return sealed(self.model_dump(mode="json", by_alias=True, exclude={"record_digest"}))


def sealed(document: Mapping[str, object]) -> dict[str, object]:
    """Return the record's document with its `recordDigest`; idempotent."""
    return {**document, "recordDigest": record_digest(document)}


def record_digest(document: Mapping[str, object]) -> str:
    """Return the digest of all members of a record's document except `recordDigest`."""
    return digest({name: value for name, value in document.items() if name != "recordDigest"})
