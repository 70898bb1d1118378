"""Submissions of a window, as a caller sees them: page by page, or all in batches."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.principal import Principal
from mymozhem.contract import Verdict
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict
from mymozhem.rooms.core.access import read_as
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow
from mymozhem.rooms.windows.queries import UNDER_WAY, find_window

from .base import Timestamp, View
from .paging import PageRequest, ResultPage, count
from .submission_visibility import Visibility, visibility_of

SUBMISSIONS = "GET /rooms/{id}/windows/{windowId}/submissions"

#: submissions that are read and written at once; their payloads may be 16 KiB each
AT_ONCE = 100

#: members of payloads that get columns of their own
MAX_MEMBERS = 100


class SubmissionView(View):
    """A submission, as far as the caller may see it.

    Staff sees all of it. Others see the fields that were shared with them, and the shared `parts`
    of the payload by JSON Pointer. Verdict and points are present once results are shown.
    """

    id: str | None = None
    participant_id: str | None = None
    display_name: str | None = None
    payload: JsonValue = None
    parts: dict[str, JsonValue] | None = None
    elapsed_ms: int | None = None
    at: Timestamp | None = None
    verdict: Verdict | None = None
    points: int | None = None


@dataclass(frozen=True)
class Listing:
    """Everything that a caller may see of a window's submissions, in order.

    `members` are the names of members in payloads. `loose` means that some payloads have further
    members, or are no objects.
    """

    ids: Sequence[str]
    visibility: Visibility
    members: tuple[str, ...] = ()
    loose: bool = False


async def submissions(
    session: AsyncSession, membership: Membership, window_key: str, part: PageRequest
) -> ResultPage[SubmissionView]:
    """Return a page of submissions in commit order. Raises: see `listing`.

    If authors are hidden, the order is a fixed random one.
    """
    window, visibility = await _looked_at(session, membership, window_key)
    if visibility.sees_nothing:
        return ResultPage([], 0)
    if not visibility.ordered or visibility.parts_only:
        ids = (await _survey(session, window, visibility)).ids
        some = ids[part.offset : part.offset + part.limit]
        return ResultPage(await seen(session, visibility, some), len(ids))
    rows = _counting(window)
    page = rows.order_by(SubmissionRow.ordinal).offset(part.offset).limit(part.limit)
    some = (await session.scalars(page.with_only_columns(SubmissionRow.id))).all()
    return ResultPage(await seen(session, visibility, some), await count(session, rows))


async def list_submissions(
    services: Services, room_id: str, caller: Principal | None, name: str, part: PageRequest
) -> ResultPage[SubmissionView]:
    """Return a page of submissions if the access table admits the caller."""
    async with read_as(services, room_id, caller, SUBMISSIONS) as (session, membership):
        return await submissions(session, membership, name, part)


async def list_all_submissions(
    services: Services, room_id: str, caller: Principal | None, name: str, *, members: bool
) -> Listing:
    """Return the listing of submissions if the access table admits the caller; see `listing`."""
    async with read_as(services, room_id, caller, SUBMISSIONS) as (session, membership):
        return await listing(session, membership, name, members=members)


async def listing(
    session: AsyncSession, membership: Membership, window_key: str, *, members: bool = False
) -> Listing:
    """Read everything that a caller may see, with or without the names of payload `members`.

    Raises Conflict WINDOW_NOT_CLOSED while the window is open or paused.
    """
    window, visibility = await _looked_at(session, membership, window_key)
    if visibility.sees_nothing:
        return Listing((), visibility)
    return await _survey(
        session, window, visibility, members=members and "payload" in visibility.names
    )


async def batches(database: Database, listed: Listing) -> AsyncIterator[list[SubmissionView]]:
    """Yield a listing in batches; no transaction stays open between two of them."""
    for start in range(0, len(listed.ids), AT_ONCE):
        async with database.read() as session:
            some = await seen(session, listed.visibility, listed.ids[start : start + AT_ONCE])
        yield some


async def seen(
    session: AsyncSession, visibility: Visibility, ids: Sequence[str]
) -> list[SubmissionView]:
    """Return submissions in the order of their ids, restricted to what is visible."""
    found = await session.execute(
        select(SubmissionRow, ParticipantRow.display_name)
        .join(ParticipantRow, ParticipantRow.id == SubmissionRow.participant_id)
        .where(SubmissionRow.id.in_(ids))
    )
    shown = {row.id: _view(visibility, row, display_name) for row, display_name in found}
    return [shown[each] for each in ids if each in shown]


@dataclass
class _Members:
    """The names of members in payloads, those of the window's schema first."""

    names: dict[str, None] = field(default_factory=dict)
    loose: bool = False

    def add(self, payload: JsonValue) -> None:
        if not isinstance(payload, dict):
            self.loose = self.loose or payload is not None
            return
        for name in [name for name in payload if name not in self.names]:
            if len(self.names) >= MAX_MEMBERS:
                self.loose = True
                return
            self.names[name] = None


async def _looked_at(
    session: AsyncSession, membership: Membership, window_key: str
) -> tuple[WindowRow, Visibility]:
    window = await find_window(session, membership.room.id, window_key)
    if window.status in UNDER_WAY:
        message = "The window is still open; what was submitted is shown once it is closed."
        raise Conflict(message, code="WINDOW_NOT_CLOSED")
    return window, visibility_of(membership, window)


async def _survey(
    session: AsyncSession, window: WindowRow, visibility: Visibility, *, members: bool = False
) -> Listing:
    """Read all counting submissions, with the names of `members` if requested."""
    names = _Members(dict.fromkeys(_declared(window)))
    ids: list[str] = []
    if not (members or visibility.parts_only):
        rows = _counting(window).with_only_columns(SubmissionRow.id)
        ids = list(await session.scalars(rows.order_by(SubmissionRow.ordinal)))
    else:
        async for submission_id, payload in _payloads(session, window):
            if visibility.shows(payload):
                ids.append(submission_id)
                names.add(payload)
    if not visibility.ordered:
        ids.sort(key=_nobodys)
    return Listing(ids, visibility, tuple(names.names), names.loose)


async def _payloads(
    session: AsyncSession, window: WindowRow
) -> AsyncIterator[tuple[str, JsonValue]]:
    """Yield ids and payloads in commit order, a few per statement; SQLite returns all rows."""
    after = 0
    rows = _counting(window).add_columns(SubmissionRow.ordinal).order_by(SubmissionRow.ordinal)
    while True:
        found = await session.execute(rows.where(SubmissionRow.ordinal > after).limit(AT_ONCE))
        some = found.all()
        for submission_id, payload, _ in some:
            yield submission_id, payload
        if len(some) < AT_ONCE:
            return
        after = some[-1].ordinal


def _counting(window: WindowRow) -> Select[str, JsonValue]:
    return select(SubmissionRow.id, SubmissionRow.payload).where(
        SubmissionRow.window_id == window.id, SubmissionRow.counts
    )


def _declared(window: WindowRow) -> list[str]:
    properties = window.accepts.get("properties")
    return list(properties)[:MAX_MEMBERS] if isinstance(properties, dict) else []


def _nobodys(submission_id: str) -> bytes:
    """Return a sort key that discloses nothing; ids alone would sort by time."""
    return hashlib.sha256(submission_id.encode()).digest()


def _view(visibility: Visibility, row: SubmissionRow, display_name: str) -> SubmissionView:
    whole: Mapping[str, object] = {
        "id": row.id,
        "participantId": row.participant_id,
        "displayName": display_name,
        "payload": row.payload,
        "elapsedMs": row.elapsed_ms,
        "at": row.received_at,
        "verdict": row.verdict,
        "points": row.credited,
    }
    shown = {name: value for name, value in whole.items() if name in visibility.names}
    if visibility.pointers:
        shown["parts"] = visibility.parts(row.payload)
    return SubmissionView.model_validate(shown, by_alias=True, by_name=False)
