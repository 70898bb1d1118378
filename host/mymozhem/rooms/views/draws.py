"""Prizes, winners and draws as they are seen: nothing of a result before its reveal."""

from dataclasses import fields

from mymozhem.auth.principal import Principal
from mymozhem.contract import DrawStatus, JsonObject, Level, fair
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.draws.record import VisibleDraw, find_draw, list_draws
from mymozhem.rooms.tables.draws import RevealMode

from .base import Timestamp, View
from .paging import PageRequest, ResultPage

#: absent until there is something to show
_SEALED = ("rule", "picks", "reserves", "link")


class PickView(View):
    """A winner that a draw selected, with the ticket that won."""

    prize_id: str
    participant_id: str
    ticket: int | None = None


class ReserveView(View):
    """Somebody who came next in a draw; without a prize for whatever prize of it."""

    participant_id: str
    ticket: int
    prize_id: str | None = None


class DrawView(View):
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
    created_at: Timestamp
    committed_at: Timestamp | None
    drawn_at: Timestamp | None
    revealed_at: Timestamp | None
    voided_at: Timestamp | None
    rule: JsonObject | None = None
    rule_text: str | None = None
    picks: list[PickView] | None = None
    reserves: list[ReserveView] | None = None
    link: str | None = None
    held_code: str | None = None
    held_message: str | None = None


def draw_view(membership: Membership, draw: VisibleDraw) -> DrawView:
    """Return a draw as the caller sees it; the level was minded when it was read."""
    known = {item.name: getattr(draw, item.name) for item in fields(draw)}
    absent = {name for name in _SEALED if known[name] is None} | _hidden(membership)
    shown = {name: value for name, value in known.items() if name not in absent}
    picks = [PickView.model_validate(each) for each in draw.picks or ()]
    if draw.picks is not None:
        shown["picks"] = picks
    if draw.reserves is not None:
        shown["reserves"] = [ReserveView.model_validate(each) for each in draw.reserves]
    return DrawView(
        **shown | {"revealed_prizes": list(draw.revealed_prizes)},
        room_id=membership.room.id,
        anchor=membership.room.draw_anchor,
    )


async def draws(
    services: Services, room_id: str, caller: Principal | None, part: PageRequest
) -> ResultPage[DrawView]:
    """Return the draws of a room, newest first; only asked for ones to its helpers."""
    async with read_as(services, room_id, caller, "GET /rooms/{id}/draws") as (session, membership):
        found, total = await list_draws(
            session, room_id, level=membership.level, offset=part.offset, limit=part.limit
        )
    return ResultPage([draw_view(membership, each) for each in found], total)


async def draw(
    services: Services, room_id: str, caller: Principal | None, draw_id: str
) -> DrawView:
    """Return one draw, with the picks of those prizes that are revealed."""
    endpoint = "GET /rooms/{id}/draws/{did}"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        found = await find_draw(session, room_id, draw_id, level=membership.level)
    return draw_view(membership, found)


def _hidden(membership: Membership) -> set[str]:
    return (
        set() if membership.level is Level.ORGANIZER else {"held_code", "held_message", "rule_text"}
    )
