"""What a draw is made of, as frozen types: entries, rule, picks and reserves.

On the wire they are camelCase JSON without further members. Members that the record's format leaves
open have defaults, so that records made elsewhere can be read; digests are always taken of the
document as it came, never of these types.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel

from mymozhem.contract.canonical_json import digest

#: people in reserve that one draw may ask for (of each prize, with `perPrize`)
MAX_RESERVES = 1_000

_SAFE_INTEGER = 2**53 - 1
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def moment(text: str) -> datetime:
    """Return the instant that an RFC 3339 text names; ValueError for any other text."""
    if not _RFC_3339.fullmatch(text):
        raise ValueError("not a time like 2026-05-04T12:00:00.000Z (RFC 3339)")
    return datetime.fromisoformat(text)


def _known(text: str) -> str:
    moment(text)
    return text


def _listed(value: object) -> object:
    """JSON has lists, frozen types have tuples; nothing else may pass for one."""
    return tuple(value) if isinstance(value, list) else value


AsList = BeforeValidator(_listed)

Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PrizeId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^/]+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, AfterValidator(_known)]
Count = Annotated[int, Field(ge=1, le=_SAFE_INTEGER)]
Number = Annotated[int, Field(ge=0, le=_SAFE_INTEGER)]
PublicInput = Text | Annotated[tuple[Number, ...], AsList, Field(min_length=1)]
Algorithm = Literal["vrs-1", "rfc3797", "app"]
Each = Literal["once", "perPrize"]


class Wire(BaseModel):
    """A frozen document: strict, camelCase in JSON, without members of its own."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        defer_build=True,
    )

    def document(self) -> dict[str, object]:
        """Return the JSON document, which is what digests are taken of."""
        return self.model_dump(mode="json", by_alias=True)


class Entries(Wire):
    """Who takes part with how many tickets, in the frozen order; two lists side by side."""

    participants: Annotated[tuple[Id, ...], AsList]
    tickets: Annotated[tuple[Count, ...], AsList]

    @classmethod
    def canonical(cls, tickets: Mapping[str, int]) -> Self:
        """Return the entries in canonical order: participant ids ascending by code point."""
        participants = tuple(sorted(tickets))
        return cls(participants=participants, tickets=tuple(tickets[p] for p in participants))

    @model_validator(mode="after")
    def _side_by_side(self) -> Self:
        if len(self.participants) != len(self.tickets):
            raise ValueError("participants and tickets are not equally many")
        if len(set(self.participants)) != len(self.participants):
            raise ValueError("a participant is listed twice")
        return self

    def digest(self) -> str:
        """Return the digest that is published at the commit."""
        return digest(self.document())


class AppVersion(Wire):
    """The app that the room is locked to."""

    id: Id
    version: Id


class PrizeCount(Wire):
    """A prize, and how many of it are drawn. A prize's id has no slash, which labels need."""

    prize_id: PrizeId
    count: Count


class PublicSource(Wire):
    """A source of public randomness, and when its values are due."""

    name: Text
    due: Moment


class Rule(Wire):
    """How a draw is made, frozen and published before its link is used.

    `reserves` are how many people are named in reserve: of the draw with `once`, of each prize with
    `perPrize`. A rule that asks for none has no such member, so that its digest is what it was
    before there were reserves.
    """

    app: AppVersion
    lock_digest: Id
    algorithm: Algorithm
    on_failure: Id = "platform"
    each: Each = "once"
    prizes: Annotated[tuple[PrizeCount, ...], AsList, Field(min_length=1)]
    exclude: Annotated[tuple[Id, ...], AsList] = ()
    replaces: Id | None = None
    public_sources: Annotated[tuple[PublicSource, ...], AsList] = ()
    reserves: Annotated[int, Field(ge=0, le=MAX_RESERVES)] = 0

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked_for(self, write: SerializerFunctionWrapHandler) -> object:
        return _but("reserves", write(self)) if not self.reserves else write(self)

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if len({prize.prize_id for prize in self.prizes}) != len(self.prizes):
            raise ValueError("a prize is listed twice")
        if self.algorithm == "rfc3797" and not self.public_sources:
            raise ValueError("rfc3797 is for public sources alone, and none is named")
        return self

    def digest(self) -> str:
        """Return the digest that is published at the commit."""
        return digest(self.document())

    @property
    def wanted(self) -> int:
        """How many winners the rule asks for."""
        return sum(prize.count for prize in self.prizes)


class Pick(Wire):
    """Who was drawn for which prize, and with which ticket (from 1)."""

    prize_id: PrizeId
    participant_id: Id
    ticket: Count


class Reserve(Wire):
    """Who is in reserve, with which ticket; without a prize for whatever prize of the draw."""

    prize_id: PrizeId | None = None
    participant_id: Id
    ticket: Count

    @model_serializer(mode="wrap")
    def _without_a_prize_of_its_own(self, write: SerializerFunctionWrapHandler) -> object:
        return _but("prizeId", write(self)) if self.prize_id is None else write(self)


class Selection(NamedTuple):
    """Who a draw selects: for its prizes, and in reserve, each in order."""

    picks: tuple[Pick, ...]
    reserves: tuple[Reserve, ...] = ()


def hold_ready(
    drawn: Iterator[tuple[str, int]], count: int, *, prize_id: str | None = None
) -> Iterator[Reserve]:
    """Go on where the prizes were given: the next so many are in reserve."""
    for participant, ticket in islice(drawn, count):
        yield Reserve(prize_id=prize_id, participant_id=participant, ticket=ticket)


def _but(name: str, document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != name}


def hand_out(prizes: Iterable[PrizeCount], drawn: Iterator[tuple[str, int]]) -> Iterator[Pick]:
    """Give the prizes in their order to participants and tickets as they are drawn."""
    for prize in prizes:
        for participant, ticket in islice(drawn, prize.count):
            yield Pick(prize_id=prize.prize_id, participant_id=participant, ticket=ticket)
