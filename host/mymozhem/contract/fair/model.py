"""The parts of a draw as frozen types: entries, rule, picks and reserves.

On the wire they are camelCase JSON without further members. Members that the record's format leaves
open have defaults, so that records from other systems can be read. Digests are always computed from
the received document, never from these types.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

from mymozhem.contract.canonical_json import digest

from .public_values import ValueFormat
from .wire import MAX_SAFE_INTEGER, Wire

#: the maximum number of reserves of one draw (of each prize, with `perPrize`)
MAX_RESERVES = 1_000

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
    """Return a JSON list as a tuple, which frozen types need; any other value stays as it is."""
    return tuple(value) if isinstance(value, list) else value


AsList = BeforeValidator(_listed)

Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PrizeId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^/]+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, AfterValidator(_known)]
Count = Annotated[int, Field(ge=1, le=MAX_SAFE_INTEGER)]
Number = Annotated[int, Field(ge=0, le=MAX_SAFE_INTEGER)]
PublicInput = Text | Annotated[tuple[Number, ...], AsList, Field(min_length=1)]
Algorithm = Literal["vrs-1", "rfc3797", "app"]
Each = Literal["once", "perPrize"]


class Entries(Wire):
    """The participants of a draw and their tickets, as two parallel arrays in the frozen order."""

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
    """A prize, and how many units are drawn; its id has no slash, because labels use slashes."""

    prize_id: PrizeId
    count: Count


class PublicSource(Wire):
    """A source of public randomness, when its value is due, and how the value is written.

    Rules from before formats existed have sources without one; nothing fixes how their values are
    spelled. A source without a format has no such member, so that its digest is the same as then.
    """

    name: Text
    due: Moment
    format: ValueFormat | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_not_fixed(self, write: SerializerFunctionWrapHandler) -> object:
        return _but("format", write(self)) if self.format is None else write(self)


class Rule(Wire):
    """How a draw works, frozen and published before its link is used.

    `reserves` is how many participants are named in reserve: of the draw with `once`, of each prize
    with `perPrize`. A rule without reserves has no such member, so that its digest is the same as
    before reserves existed.
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
        """How many winners the rule requests."""
        return sum(prize.count for prize in self.prizes)


class Pick(Wire):
    """A drawn participant, the prize, and the number of the ticket (from 1)."""

    prize_id: PrizeId
    participant_id: Id
    ticket: Count


class Reserve(Wire):
    """A participant in reserve, with the ticket; without a prize: for any prize of the draw."""

    prize_id: PrizeId | None = None
    participant_id: Id
    ticket: Count

    @model_serializer(mode="wrap")
    def _without_a_prize_of_its_own(self, write: SerializerFunctionWrapHandler) -> object:
        return _but("prizeId", write(self)) if self.prize_id is None else write(self)


class Selection(NamedTuple):
    """The participants that a draw selects: for its prizes, and in reserve, each in order."""

    picks: tuple[Pick, ...]
    reserves: tuple[Reserve, ...] = ()


def hold_ready(
    drawn: Iterator[tuple[str, int]], count: int, *, prize_id: str | None = None
) -> Iterator[Reserve]:
    """Yield the next `count` participants as reserves, after all prizes are assigned."""
    for participant, ticket in islice(drawn, count):
        yield Reserve(prize_id=prize_id, participant_id=participant, ticket=ticket)


def _but(name: str, document: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != name}


def hand_out(prizes: Iterable[PrizeCount], drawn: Iterator[tuple[str, int]]) -> Iterator[Pick]:
    """Assign the prizes in their order to participants and tickets as they are drawn."""
    for prize in prizes:
        for participant, ticket in islice(drawn, prize.count):
            yield Pick(prize_id=prize.prize_id, participant_id=participant, ticket=ticket)
