"""Winners, as callers see them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from mymozhem.auth.principal import Principal
from mymozhem.auth.tables import UserRow
from mymozhem.contract import JsonObject, WinnerStatus
from mymozhem.errors import NotFound
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow

from .base import PersonView, Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page
from .participants import NameView, member_view, name_view
from .prizes import PrizeName, prize_name

WINNERS_BY: Columns = {
    "id": WinnerRow.id,
    "createdAt": WinnerRow.created_at,
    "updatedAt": WinnerRow.updated_at,
    "ordinal": WinnerRow.ordinal,
}


@dataclass(frozen=True)
class WinnerFilter:
    """Filters of winners; None leaves a filter out."""

    prize_id: str | None = None
    participant_id: str | None = None
    draw_id: str | None = None
    status: WinnerStatus | None = None


class WinnerView(View):
    """A win; strangers to a public room see neither its reason nor its metadata."""

    id: str
    room_id: str
    participant_id: str
    prize_id: str
    draw_id: str | None
    status: WinnerStatus
    reason: str | None = None
    metadata: JsonObject | None = None
    created_at: Timestamp
    updated_at: Timestamp
    participant: NameView
    prize: PrizeName
    user: PersonView


async def winners(
    services: Services,
    room_id: str,
    caller: Principal | None,
    wanted: WinnerFilter,
    part: PageRequest,
) -> ResultPage[WinnerView]:
    """Return the winners of a room, with revoked ones and without sealed ones."""
    endpoint = "GET /rooms/{id}/winners"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        rows = _winners(membership)
        for column, value in (
            (WinnerRow.prize_id, wanted.prize_id),
            (WinnerRow.participant_id, wanted.participant_id),
            (WinnerRow.draw_id, wanted.draw_id),
            (WinnerRow.status, wanted.status),
        ):
            if value is not None:
                rows = rows.where(column == value)
        found, total = await fetch_page(session, rows, part, WINNERS_BY)
    return ResultPage([_winner(membership, each) for each in found], total)


async def winner(
    services: Services, room_id: str, caller: Principal | None, winner_id: str
) -> WinnerView:
    """Return one winner; NotFound for one from another room, and for a sealed one."""
    endpoint = "GET /rooms/{id}/winners/{wid}"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        one = _winners(membership).where(WinnerRow.id == winner_id)
        found = (await session.execute(one)).first()
    if found is None:
        raise NotFound("There is no such winner.", code="WINNER_NOT_FOUND")
    return _winner(membership, found)


def winner_view(
    membership: Membership,
    row: WinnerRow,
    *,
    participant: ParticipantRow,
    prize: PrizeRow,
    person: UserRow,
) -> WinnerView:
    """Return an unsealed win as the caller sees it."""
    shown = WinnerView(
        id=row.id,
        room_id=row.room_id,
        participant_id=row.participant_id,
        prize_id=row.prize_id,
        draw_id=row.draw_id,
        status=row.status,
        created_at=row.created_at,
        updated_at=row.updated_at,
        participant=name_view(participant, person),
        prize=prize_name(prize),
        user=member_view(participant, person),
    )
    if membership.role is None:
        return shown
    return shown.model_copy(update={"reason": row.reason, "metadata": row.data})


def _winners(membership: Membership) -> Select[WinnerRow, ParticipantRow, PrizeRow, UserRow]:
    return (
        select(WinnerRow, ParticipantRow, PrizeRow, UserRow)
        .join(ParticipantRow, ParticipantRow.id == WinnerRow.participant_id)
        .join(PrizeRow, PrizeRow.id == WinnerRow.prize_id)
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(
            WinnerRow.room_id == membership.room.id,
            WinnerRow.sealed.is_(False),
            WinnerRow.deleted_at.is_(None),
        )
    )


def _winner(membership: Membership, found: Any) -> WinnerView:  # noqa: ANN401 - a row of four
    row, person, prize_row, user = found
    return winner_view(membership, row, participant=person, prize=prize_row, person=user)
