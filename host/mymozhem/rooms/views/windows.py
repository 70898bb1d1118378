"""Windows, as callers see them: never rules or data, and results only once they are shown."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import JsonValue
from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import (
    CloseReason,
    DecidedBy,
    JsonObject,
    Level,
    Results,
    Role,
    SubmissionMode,
    Verdict,
    WindowStatus,
)
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow
from mymozhem.rooms.windows.queries import UNDER_WAY, count_eligible, find_window
from mymozhem.rooms.windows.timing import left_ms

from .base import Timestamp, View
from .paging import Columns, PageRequest, ResultPage, fetch_page

WINDOWS_BY: Columns = {"id": WindowRow.key, "createdAt": WindowRow.created_at}

#: own submissions that a snapshot brings, the newest
MINE = 100


class WindowView(View):
    """A window; `id` is the key that its app gave it.

    `leftMs` is the remaining time, also after a pause; null without an end. Of the `of` people who
    may submit, `answered` have; `answeredBy` names them to staff. `maySubmit` says whether the
    caller may submit.
    """

    id: str
    status: WindowStatus
    prompt: JsonObject
    accepts: JsonObject
    submissions: SubmissionMode
    min_elapsed_ms: int
    roles: list[Role]
    restricted: bool
    results: Results
    revealed: bool
    opens_at: Timestamp
    closes_at: Timestamp | None
    left_ms: int | None
    closed_at: Timestamp | None
    closed_by: CloseReason | None
    decided_by: DecidedBy | None
    answered: int
    of: int
    may_submit: bool
    answered_by: list[str] | None = None


class OwnSubmissionView(View):
    """A submission of the caller; verdict and points once they are shown."""

    id: str
    window_id: str
    payload: JsonValue
    elapsed_ms: int
    at: Timestamp
    verdict: Verdict | None = None
    points: int | None = None


async def open_windows(
    session: AsyncSession, membership: Membership, *, now: datetime
) -> list[WindowView]:
    """Return the windows that are open or paused, and those whose results are not out yet."""
    waiting = (WindowRow.status == WindowStatus.CLOSED) & WindowRow.revealed_at.is_(None)
    under_way = WindowRow.status.in_((*UNDER_WAY, WindowStatus.TALLYING))
    rows = await session.scalars(
        _windows(membership)
        .where(or_(under_way, waiting))
        .order_by(WindowRow.created_at, WindowRow.id)
    )
    return await _shown(session, membership, rows.all(), now=now)


async def windows(
    services: Services, room_id: str, caller: Principal | None, part: PageRequest
) -> ResultPage[WindowView]:
    """Return the windows of a room."""
    endpoint = "GET /rooms/{id}/windows"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        now = services.clock.now()
        found, total = await fetch_page(session, _windows(membership), part, WINDOWS_BY)
        rows = [row for (row,) in found]
        return ResultPage(await _shown(session, membership, rows, now=now), total)


async def window(
    services: Services, room_id: str, caller: Principal | None, window_key: str
) -> WindowView:
    """Return one window; for staff, with the people who have answered."""
    endpoint = "GET /rooms/{id}/windows/{windowId}"
    async with read_as(services, room_id, caller, endpoint) as (session, membership):
        row = await find_window(session, room_id, window_key)
        (shown,) = await _shown(session, membership, [row], now=services.clock.now())
        if membership.level is not Level.ORGANIZER:
            return shown
        answered = await session.scalars(
            select(SubmissionRow.participant_id)
            .where(SubmissionRow.window_id == row.id, SubmissionRow.counts)
            .group_by(SubmissionRow.participant_id)
            .order_by(SubmissionRow.participant_id)
        )
        return shown.model_copy(update={"answered_by": list(answered)})


async def _shown(
    session: AsyncSession, membership: Membership, rows: Sequence[WindowRow], *, now: datetime
) -> list[WindowView]:
    """Return windows as the caller sees them; eligible people are counted once per audience."""
    people: dict[tuple[str, ...], int] = {}
    shown = []
    for row in rows:
        whose = tuple(row.roles) if row.participants is None else (row.id,)
        if whose not in people:
            people[whose] = await count_eligible(session, row)
        shown.append(_view(membership, row, of=people[whose], now=now))
    return shown


def _view(membership: Membership, row: WindowRow, *, of: int, now: datetime) -> WindowView:
    return WindowView(
        id=row.key,
        status=row.status,
        prompt=row.prompt,
        accepts=row.accepts,
        submissions=row.submissions,
        min_elapsed_ms=row.min_elapsed_ms,
        roles=[Role(role) for role in row.roles],
        restricted=row.participants is not None,
        results=row.results,
        revealed=row.revealed_at is not None,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        left_ms=left_ms(row, now),
        closed_at=row.closed_at,
        closed_by=row.close_reason if row.closed_at is not None else None,
        decided_by=row.decided_by,
        answered=row.answered,
        of=of,
        may_submit=_may_submit(membership, row),
    )


async def own_submissions(session: AsyncSession, membership: Membership) -> list[OwnSubmissionView]:
    """Return the caller's counting submissions, the newest last."""
    if membership.participant is None:
        return []
    found = await session.execute(
        select(SubmissionRow, WindowRow)
        .join(WindowRow, WindowRow.id == SubmissionRow.window_id)
        .where(SubmissionRow.participant_id == membership.participant.id, SubmissionRow.counts)
        .order_by(SubmissionRow.created_at.desc(), SubmissionRow.id.desc())
        .limit(MINE)
    )
    return [own_submission(row, window) for row, window in reversed(found.all())]


def own_submission(row: SubmissionRow, window: WindowRow) -> OwnSubmissionView:
    """Return a submission as its author sees it."""
    shown = OwnSubmissionView(
        id=row.id,
        window_id=window.key,
        payload=row.payload,
        elapsed_ms=row.elapsed_ms,
        at=row.received_at,
    )
    if not (shows_results(window) and window.announce_verdicts):
        return shown
    return shown.model_copy(update={"verdict": row.verdict, "points": row.credited})


def shows_results(window: WindowRow) -> bool:
    """Return whether the verdicts and points of a window are public."""
    return window.settled_at is not None and window.revealed_at is not None


def _may_submit(membership: Membership, row: WindowRow) -> bool:
    role, mine = membership.own_role, membership.participant_id
    invited = row.participants is None or mine in row.participants
    return role is not None and mine is not None and role in row.roles and invited


def _windows(membership: Membership) -> Select[WindowRow]:
    return select(WindowRow).where(WindowRow.room_id == membership.room.id)
