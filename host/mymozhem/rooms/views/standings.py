"""Standings, as callers see them: a page, or all of them."""

import asyncio
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import Level, ParticipantStatus, Role
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import ENDED
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.rooms import RoomRow

from .base import View
from .paging import PageRequest, ResultPage, count

STANDINGS = "GET /rooms/{id}/standings"

#: places that are written without looking up
_AT_ONCE = 500


class StandingView(View):
    """A place in the standings; equal points share a rank, and the next rank is skipped."""

    rank: int
    participant_id: str
    display_name: str
    points: int


def keeps_points(room: RoomRow) -> bool:
    """Return whether a window hides the standings; none does after the room has ended."""
    return room.standings_hidden and room.status not in ENDED


def points_hidden(membership: Membership) -> bool:
    """Return whether points are hidden from the caller, because a window hides the standings."""
    return keeps_points(membership.room) and membership.level is not Level.ORGANIZER


def placed(room_id: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition for the standings: active participants whose points are not zero."""
    return (
        ParticipantRow.room_id == room_id,
        ParticipantRow.role == Role.PARTICIPANT,
        ParticipantRow.status == ParticipantStatus.ACTIVE,
        ParticipantRow.points != 0,
    )


async def standings(
    session: AsyncSession, membership: Membership, part: PageRequest
) -> ResultPage[StandingView]:
    """Return a page of the standings, the best first; empty while points are hidden."""
    if points_hidden(membership):
        return ResultPage([], 0)
    rows = _places(membership)
    total = await count(session, rows)
    found = await session.execute(rows.offset(part.offset).limit(part.limit))
    return ResultPage([_standing(row) for row in found], total)


async def list_standings(
    services: Services, room_id: str, caller: Principal | None, part: PageRequest
) -> ResultPage[StandingView]:
    """Return a page of the standings if the access table admits the caller."""
    async with read_as(services, room_id, caller, STANDINGS) as (session, membership):
        return await standings(session, membership, part)


async def all_standings(
    services: Services, room_id: str, caller: Principal | None
) -> list[StandingView]:
    """Return all standings, the best first; empty while points are hidden."""
    async with read_as(services, room_id, caller, STANDINGS) as (session, membership):
        if points_hidden(membership):
            return []
        found: list[StandingView] = []
        for some in (await session.execute(_places(membership))).partitions(_AT_ONCE):
            found += map(_standing, some)
            await asyncio.sleep(0)  # a hall has thousands, and others wait
        return found


async def rank_of(session: AsyncSession, row: ParticipantRow) -> int | None:
    """Return the rank of a participant: one more than the number of those with more points."""
    if not row.points or row.role != Role.PARTICIPANT:
        return None
    better = select(func.count()).where(*placed(row.room_id), ParticipantRow.points > row.points)
    return (await session.scalar(better) or 0) + 1


def _places(membership: Membership) -> Select[int, str, str, int]:
    """Return the query of the standings; ranks are counted over all of them, not over a page."""
    rank = func.rank().over(order_by=ParticipantRow.points.desc())
    return (
        select(rank, ParticipantRow.id, ParticipantRow.display_name, ParticipantRow.points)
        .where(*placed(membership.room.id))
        .order_by(ParticipantRow.points.desc(), ParticipantRow.id)
    )


def _standing(row: Any) -> StandingView:  # noqa: ANN401 - a row of four
    rank, participant_id, display_name, points = row
    return StandingView(
        rank=rank, participant_id=participant_id, display_name=display_name, points=points
    )
