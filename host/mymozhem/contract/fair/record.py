"""The public record of a draw, and the digest that seals the whole record."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

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
    Text,
)

from .wire import Wire

FORMAT = "mymozhem-draw-1"
Guarantee = Literal["committed", "beacon"]
"""Who is bound: everybody but the operator, who knew the secret; or, by public sources, all."""


class Chain(Wire):
    """The room's anchor, and the link of this draw."""

    anchor: Hash
    index: Annotated[int, Field(ge=1, le=65_535)]
    link: Hash


class Times(Wire):
    """The time of each step of the draw; it ends with `revealed` or with `voided`."""

    anchored: Moment
    committed: Moment
    drawn: Moment | None = None
    revealed: Moment | None = None
    voided: Moment | None = None


class Reference(BaseModel):
    """A room or draw in a record: its id; further members are ignored."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", defer_build=True)

    id: Id


class Record(Wire):
    """The document that is published at the end; anybody can recompute the picks from it.

    `reserves` is a member exactly if the rule requests reserves. It is empty if nobody was left, or
    if an app's own algorithm picked.

    The record of a voided draw says `status: "voided"` and why (`reason`). It has no picks and no
    reserves, and the public values only if they were known; with them a stranger can compute what
    the result would have been. `voidedDraws` is how many draws of the room were voided before this
    one, after their commit. Records from before voided draws had records have no such member.
    """

    format: Literal["mymozhem-draw-1"] = "mymozhem-draw-1"
    room: Id | Reference
    draw: Id | Reference
    status: Literal["voided"] | None = None
    reason: Text | None = None
    voided_draws: Annotated[int, Field(ge=0, le=65_535)] | None = None
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

    @model_validator(mode="after")
    def _ended_in_one_way(self) -> Self:
        if self.is_voided:
            if self.reason is None or self.at.voided is None or self.at.revealed is not None:
                raise ValueError("a voided draw has a reason and a time of its own, and no reveal")
        elif self.reason is not None or self.at.voided is not None:
            raise ValueError("only a voided draw has a reason and a time at which it was voided")
        elif self.at.drawn is None or self.at.revealed is None:
            raise ValueError("a revealed draw has the times of its selection and of its reveal")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked_for(self, write: SerializerFunctionWrapHandler) -> object:
        written = write(self)
        for name in ("reserves", "status", "reason", "voidedDraws"):
            if written[name] is None:
                del written[name]
        written["at"] = {name: time for name, time in written["at"].items() if time is not None}
        return written

    @property
    def is_voided(self) -> bool:
        """Whether the draw ended without winners."""
        return self.status == "voided"

    def document(self) -> dict[str, object]:
        """Return the JSON document to publish, sealed by the digest of all its other members."""
        return sealed(self.model_dump(mode="json", by_alias=True, exclude={"record_digest"}))


def sealed(document: Mapping[str, object]) -> dict[str, object]:
    """Return the record's document with its `recordDigest`; idempotent."""
    return {**document, "recordDigest": record_digest(document)}


def record_digest(document: Mapping[str, object]) -> str:
    """Return the digest of all members of a record's document except `recordDigest`."""
    return digest({name: value for name, value in document.items() if name != "recordDigest"})
