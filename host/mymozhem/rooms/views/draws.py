"""Prizes, winners and draws as they are seen: nothing of a result before its reveal."""

from dataclasses import fields

from mymozhem.auth.tables import UserRow
from mymozhem.contract import DrawStatus, JsonObject, Level, WinnerStatus, fair
from mymozhem.rooms.core.membership import Seat
from mymozhem.rooms.draws.record import DrawView
from mymozhem.rooms.tables.rooms import ParticipantRow, PrizeRow, RevealMode, WinnerRow

from .base import Moment, SeenPerson, View
from .participants import SeenName
from .room_models import person_view

#: absent until there is something to show
_SEALED = ("rule", "picks", "reserves", "link")


class SeenPrize(View):
    """A prize; `quantityRemaining` is what is neither won nor reserved by a committed draw."""

    id: str
    room_id: str
    name: str
    description: str
    image_url: str | None
    quantity: int
    quantity_remaining: int
    metadata: JsonObject
    created_at: Moment
    updated_at: Moment


class PrizeName(View):
    """A prize by name."""

    id: str
    name: str


class SeenWinner(View):
    """A win; `user` is for those who help to run the room."""

    id: str
    room_id: str
    participant_id: str
    prize_id: str
    draw_id: str | None
    status: WinnerStatus
    reason: str | None
    metadata: JsonObject
    created_at: Moment
    updated_at: Moment
    participant: SeenName
    prize: PrizeName
    user: SeenPerson | None = None


class SeenPick(View):
    """A winner that a draw selected, with the ticket that won."""

    prize_id: str
    participant_id: str
    ticket: int | None = None


class SeenReserve(View):
    """Somebody who came next in a draw; without a prize for whatever prize of it."""

    participant_id: str
    ticket: int
    prize_id: str | None = None


class SeenDraw(View):
    """A draw; `picks` are those of the prizes that are revealed, `link` comes with the last one.

    So do `reserves`, where the draw was asked for some: who came next, in order.
    `rule` before the reveal, and why a draw is held, are for those who help to run the room.
    """

    id: str
    room_id: str
    key: str
    status: DrawStatus
    run: bool
    reveal: RevealMode
    replaces: str | None
    anchor: str
    link_index: int | None
    entries_digest: str | None
    rule_digest: str | None
    guarantee: fair.Guarantee | None
    entry_count: int
    ticket_count: int
    revealed_prizes: list[str]
    void_reason: str | None
    created_at: Moment
    committed_at: Moment | None
    drawn_at: Moment | None
    revealed_at: Moment | None
    voided_at: Moment | None
    rule: JsonObject | None = None
    rule_text: str | None = None
    picks: list[SeenPick] | None = None
    reserves: list[SeenReserve] | None = None
    link: str | None = None
    held_code: str | None = None
    held_message: str | None = None


def prize_view(row: PrizeRow) -> SeenPrize:
    """Return a prize, the same to everybody in the room."""
    return SeenPrize(
        id=row.id,
        room_id=row.room_id,
        name=row.name,
        description=row.description,
        image_url=row.image_url,
        quantity=row.quantity,
        quantity_remaining=row.quantity_remaining,
        metadata=row.data,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def winner_view(
    seat: Seat, row: WinnerRow, *, participant: ParticipantRow, prize: PrizeRow, person: UserRow
) -> SeenWinner:
    """Return a win that is not sealed as the caller sees it."""
    shown = SeenWinner(
        id=row.id,
        room_id=row.room_id,
        participant_id=row.participant_id,
        prize_id=row.prize_id,
        draw_id=row.draw_id,
        status=row.status,
        reason=row.reason,
        metadata=row.data,
        created_at=row.created_at,
        updated_at=row.updated_at,
        participant=SeenName(id=participant.id, display_name=participant.display_name),
        prize=PrizeName(id=prize.id, name=prize.name),
    )
    helper = seat.level is Level.ORGANIZER
    return shown.model_copy(update={"user": person_view(person)}) if helper else shown


def draw_view(seat: Seat, draw: DrawView) -> SeenDraw:
    """Return a draw as the caller sees it; the level was minded when it was read."""
    known = {item.name: getattr(draw, item.name) for item in fields(draw)}
    absent = {name for name in _SEALED if known[name] is None} | _hidden(seat)
    shown = {name: value for name, value in known.items() if name not in absent}
    picks = [SeenPick.model_validate(each) for each in draw.picks or ()]
    if draw.picks is not None:
        shown["picks"] = picks
    if draw.reserves is not None:
        shown["reserves"] = [SeenReserve.model_validate(each) for each in draw.reserves]
    return SeenDraw(
        **shown | {"revealed_prizes": list(draw.revealed_prizes)},
        room_id=seat.room.id,
        anchor=seat.room.draw_anchor,
    )


def _hidden(seat: Seat) -> set[str]:
    return set() if seat.level is Level.ORGANIZER else {"held_code", "held_message", "rule_text"}
