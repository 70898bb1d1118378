"""Draws, as callers see them: nothing of a result before its reveal."""

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
_SEALED = ("rule", "public_inputs", "picks", "items", "reserves", "link")


class PickView(View):
    """A winner that a draw selected, with the winning ticket."""

    prize_id: str
    participant_id: str
    ticket: int | None = None


class ReserveView(View):
    """A person in reserve; without a prize, they are in reserve for every prize of the draw."""

    participant_id: str
    ticket: int
    prize_id: str | None = None


class DrawView(View):
    """A draw; `picks` are those of revealed prizes, `link` is shown with the last one.

    So is `reserves`, if people in reserve were requested, in drawn order. `publicInputs` are the
    accepted values of public sources in canonical form. They and `rule` before the reveal, and why
    a draw is held, are shown to the staff of the room.

    `items` are the revealed ones of a draw of items, in drawn order; it has no picks.
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
    public_inputs: list[str] | None = None
    picks: list[PickView] | None = None
    items: list[str] | None = None
    reserves: list[ReserveView] | None = None
    link: str | None = None
    held_code: str | None = None
    held_message: str | None = None


def draw_view(membership: Membership, draw: VisibleDraw) -> DrawView:
    """Return a draw as the caller sees it; its content was read at the caller's level."""
    known = {item.name: getattr(draw, item.name) for item in fields(draw)}
    absent = {name for name in _SEALED if known[name] is None} | _hidden(membership)
    shown = {name: value for name, value in known.items() if name not in absent}
    picks = [PickView.model_validate(each) for each in draw.picks or ()]
    if draw.picks is not None:
        shown["picks"] = picks
    if draw.items is not None:
        shown["items"] = list(draw.items)
    if draw.public_inputs is not None:
        shown["public_inputs"] = list(draw.public_inputs)
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
    """Return the draws of a room, the newest first; only staff sees uncommitted ones."""
    async with read_as(services, room_id, caller, "GET /rooms/{id}/draws") as (session, membership):
        found, total = await list_draws(
            session, room_id, level=membership.level, offset=part.offset, limit=part.limit
        )
    return ResultPage([draw_view(membership, each) for each in found], total)


async def draw(
    services: Services, room_id: str, caller: Principal | None, draw_id: str
) -> DrawView:
    """Return one draw, with the picks of revealed prizes."""
    endpoint = "GET /rooms/{id}/draws/{did}"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        found = await find_draw(session, room_id, draw_id, level=membership.level)
    return draw_view(membership, found)


def _hidden(membership: Membership) -> set[str]:
    return (
        set() if membership.level is Level.ORGANIZER else {"held_code", "held_message", "rule_text"}
    )
