"""What was submitted to a window, as a caller sees it: page by page, or all of it in batches."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Verdict
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Conflict
from mymozhem.rooms.core.membership import Seat
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow
from mymozhem.rooms.windows.queries import UNDER_WAY, find_window

from .base import Moment, View
from .paging import Found, Part, count
from .submission_visibility import Lens, lens_of

#: submissions that are read and written at once; their payloads may be 16 KiB each
AT_ONCE = 100

#: members of payloads that get columns of their own
MAX_MEMBERS = 100


class SeenSubmission(View):
    """Something that was submitted to a window, as far as the caller sees it.

    Those who help to run the room see all of it; the others see the fields that were shared with
    them, and of the payload the `parts` that were, by JSON Pointer. Verdict and points are there
    once results are shown.
    """

    id: str | None = None
    participant_id: str | None = None
    display_name: str | None = None
    payload: JsonValue = None
    parts: dict[str, JsonValue] | None = None
    elapsed_ms: int | None = None
    at: Moment | None = None
    verdict: Verdict | None = None
    points: int | None = None


@dataclass(frozen=True)
class Listing:
    """All that a caller sees of a window's submissions: which, in their order, and what of them.

    `members` are the names that payloads have; `loose` tells that some payload has others as well,
    or none, being no object.
    """

    ids: Sequence[str]
    lens: Lens
    members: tuple[str, ...] = ()
    loose: bool = False


async def submissions(
    session: AsyncSession, seat: Seat, name: str, part: Part
) -> Found[SeenSubmission]:
    """Return a part of what was submitted, in commit order; see `listing` for what is raised.

    Where nobody is to know whose a submission is, the order tells nothing.
    """
    window, lens = await _looked_at(session, seat, name)
    if lens.blind:
        return Found([], 0)
    if not lens.ordered or lens.parts_only:
        ids = (await _survey(session, window, lens)).ids
        some = ids[part.offset : part.offset + part.limit]
        return Found(await seen(session, lens, some), len(ids))
    rows = _counting(window)
    page = rows.order_by(SubmissionRow.ordinal).offset(part.offset).limit(part.limit)
    some = (await session.scalars(page.with_only_columns(SubmissionRow.id))).all()
    return Found(await seen(session, lens, some), await count(session, rows))


async def listing(
    session: AsyncSession, seat: Seat, name: str, *, members: bool = False
) -> Listing:
    """Look through all that a caller sees; with the names of `members` of payloads, or without.

    Conflict WINDOW_NOT_CLOSED while the window is under way.
    """
    window, lens = await _looked_at(session, seat, name)
    if lens.blind:
        return Listing((), lens)
    return await _survey(session, window, lens, members=members and "payload" in lens.names)


async def batches(database: Database, listed: Listing) -> AsyncIterator[list[SeenSubmission]]:
    """Yield what was listed, in parts; no transaction stays open between two of them."""
    for start in range(0, len(listed.ids), AT_ONCE):
        async with database.read() as session:
            some = await seen(session, listed.lens, listed.ids[start : start + AT_ONCE])
        yield some


async def seen(session: AsyncSession, lens: Lens, ids: Sequence[str]) -> list[SeenSubmission]:
    """Return submissions in the order of their ids, with what a lens shows of them."""
    found = await session.execute(
        select(SubmissionRow, ParticipantRow.display_name)
        .join(ParticipantRow, ParticipantRow.id == SubmissionRow.participant_id)
        .where(SubmissionRow.id.in_(ids))
    )
    shown = {row.id: _view(lens, row, display_name) for row, display_name in found}
    return [shown[each] for each in ids if each in shown]


@dataclass
class _Members:
    """The names that payloads have, those of the window's schema first."""

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


async def _looked_at(session: AsyncSession, seat: Seat, name: str) -> tuple[WindowRow, Lens]:
    window = await find_window(session, seat.room.id, name)
    if window.status in UNDER_WAY:
        message = "The window is still open; what was submitted is shown once it is closed."
        raise Conflict(message, code="WINDOW_NOT_CLOSED")
    return window, lens_of(seat, window)


async def _survey(
    session: AsyncSession, window: WindowRow, lens: Lens, *, members: bool = False
) -> Listing:
    """Look through all submissions that count, with the names of `members` where asked to."""
    names = _Members(dict.fromkeys(_declared(window)))
    ids: list[str] = []
    if not (members or lens.parts_only):
        rows = _counting(window).with_only_columns(SubmissionRow.id)
        ids = list(await session.scalars(rows.order_by(SubmissionRow.ordinal)))
    else:
        async for submission_id, payload in _payloads(session, window):
            if lens.shows(payload):
                ids.append(submission_id)
                names.add(payload)
    if not lens.ordered:
        ids.sort(key=_nobodys)
    return Listing(ids, lens, tuple(names.names), names.loose)


async def _payloads(
    session: AsyncSession, window: WindowRow
) -> AsyncIterator[tuple[str, JsonValue]]:
    """Yield ids and payloads in commit order, a few with each statement: SQLite hands out all."""
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
    """Return a place in an order that says nothing: ids by themselves sort by time."""
    return hashlib.sha256(submission_id.encode()).digest()


def _view(lens: Lens, row: SubmissionRow, display_name: str) -> SeenSubmission:
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
    shown = {name: value for name, value in whole.items() if name in lens.names}
    if lens.pointers:
        shown["parts"] = lens.parts(row.payload)
    return SeenSubmission.model_validate(shown, by_alias=True, by_name=False)
