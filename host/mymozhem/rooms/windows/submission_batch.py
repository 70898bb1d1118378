"""A batch of submissions in one transaction: looked up together, judged one by one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, update

from mymozhem.contract import (
    CloseOn,
    CloseReason,
    Judge,
    ParticipantStatus,
    SubmissionMode,
    WindowStatus,
)
from mymozhem.db.base import new_id
from mymozhem.errors import Conflict, Forbidden, MymozhemError, NotFound
from mymozhem.idempotency.keys import IdempotencyMismatch
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission, PendingSubmission
from mymozhem.rooms.core.membership import room_not_found
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from . import judge
from .close import begin_settling, close_when_all_answered
from .queries import UNDER_WAY
from .submission_lookup import (
    AcceptingWindow,
    FirstSubmission,
    Person,
    Slot,
    SubmissionLookup,
    load,
)
from .timing import locate

#: submissions of one person to a window that takes many
MAX_MANY = 1_000


class WindowClosed(Conflict):
    """The window is closed; this came too late."""

    default_code = "WINDOW_CLOSED"


class WindowPaused(Conflict):
    """The window is paused; submit again when it goes on."""

    default_code = "WINDOW_PAUSED"


class TooEarly(Conflict):
    """That was too early; submit again."""

    default_code = "TOO_EARLY"


class AlreadyAnswered(Conflict):
    """You have answered already; the first answer stands."""

    default_code = "ALREADY_ANSWERED"


#: rows of many are written by their table: the mapped class would look at each once more
_SUBMISSIONS = cast("Table", SubmissionRow.__table__)
_REPLACED = (
    update(_SUBMISSIONS)
    .where(
        _SUBMISSIONS.c.window_id == bindparam("in_window"),
        _SUBMISSIONS.c.participant_id == bindparam("of"),
        _SUBMISSIONS.c.counts,
    )
    .values(counts=False)
)


class SubmissionBatch:
    """The submissions of one commit, in order of arrival."""

    def __init__(self, transaction: RoomTransaction) -> None:
        self._writer = transaction
        self._began = transaction.unit.began
        self._known = SubmissionLookup()
        self._rows: list[dict[str, Any]] = []
        self._single: dict[Slot, dict[str, Any]] = {}
        self._replaced: set[Slot] = set()

    async def take(
        self, arriving: Sequence[PendingSubmission]
    ) -> dict[PendingSubmission, AcceptedSubmission | Exception]:
        """Store the acceptable submissions and return the result of each."""
        self._known = await load(self._writer.session, self._writer.room.id, arriving)
        answers = {each: self._one(each) for each in arriving}
        await self._store()
        for window in self._known.windows.values():
            await self._after(window.row)
        return answers

    def _one(self, each: PendingSubmission) -> AcceptedSubmission | Exception:
        try:
            return self._accept(each)
        except MymozhemError as refused:
            return refused

    def _accept(self, each: PendingSubmission) -> AcceptedSubmission:
        person = self._person(each)
        window = self._window(each, person)
        slot = (window.row.id, person.id)
        if each.key is not None and (*slot, each.key) in self._known.keys:
            return self._repeated(each, self._known.keys[*slot, each.key])
        received = self._received(each)
        elapsed = _require_in_time(window.row, received)
        self._require_first_answer(window.row, slot)
        window.check_payload(each.payload)
        accepted = AcceptedSubmission(new_id("sub"), elapsed)
        self._add(window, person, each, accepted, received)
        return accepted

    def _person(self, each: PendingSubmission) -> Person:
        room, caller = self._writer.room, each.caller
        person = self._known.people.get(caller.user_id)
        if caller.room_id not in (None, room.id) or (person is None and not room.is_public):
            raise room_not_found()
        if person is None or person.status != ParticipantStatus.ACTIVE:
            raise Forbidden
        return person

    def _window(self, each: PendingSubmission, person: Person) -> AcceptingWindow:
        window = self._known.windows.get(each.window_key)
        if window is None:
            message = "There is no such window."
            raise NotFound(message, code="WINDOW_NOT_FOUND")
        if not window.takes(person):
            message = "This window is not for you."
            raise Forbidden(message, code="WINDOW_NOT_YOURS")
        return window

    def _repeated(self, each: PendingSubmission, earlier: FirstSubmission) -> AcceptedSubmission:
        if earlier.payload != each.payload:
            raise IdempotencyMismatch
        return earlier.accepted

    def _received(self, each: PendingSubmission) -> datetime:
        """Return the time of arrival by the database's clock."""
        return self._writer.now - timedelta(seconds=max(0.0, self._began - each.arrived))

    def _require_first_answer(self, window: WindowRow, slot: Slot) -> None:
        turns = self._known.turns[slot]
        if window.submissions == SubmissionMode.ONCE and turns:
            raise AlreadyAnswered
        if window.submissions == SubmissionMode.MANY and turns >= MAX_MANY:
            message = f"That is more than {MAX_MANY} submissions to one window."
            raise Conflict(message, code="TOO_MANY_SUBMISSIONS")

    def _add(
        self,
        window: AcceptingWindow,
        person: Person,
        each: PendingSubmission,
        accepted: AcceptedSubmission,
        received: datetime,
    ) -> None:
        row, slot = window.row, (window.row.id, person.id)
        single = row.submissions != SubmissionMode.MANY
        if self._known.turns[slot] and single:
            self._replace(slot)
        if not self._known.turns[slot]:
            row.answered += 1
        self._known.turns[slot] += 1
        row.last_ordinal += 1
        verdict, points, judged = window.judge(each.payload)
        stored = {
            "id": accepted.submission_id,
            "room_id": row.room_id,
            "window_id": row.id,
            "participant_id": person.id,
            "ordinal": row.last_ordinal,
            "payload": each.payload,
            "received_at": received,
            "elapsed_ms": accepted.elapsed_ms,
            "counts": True,
            "single": single,
            "key": each.key,
            "verdict": verdict,
            "points": points,
            "judged": judged,
            "credited": 0,
            "created_at": self._writer.now,
        }
        self._rows.append(stored)
        if single:
            self._single[slot] = stored
        if each.key is not None:
            self._known.keys[*slot, each.key] = FirstSubmission(each.payload, accepted)
        if row.close_on == CloseOn.FIRST_RIGHT and window.rules.is_right(each.payload):
            begin_settling(self._writer, row, CloseReason.FIRST_RIGHT)

    def _replace(self, slot: Slot) -> None:
        """Stop counting an earlier submission, whether stored or in this batch."""
        stored = self._single.get(slot)
        if stored is None:
            self._replaced.add(slot)
        else:
            stored["counts"] = False

    async def _store(self) -> None:
        session = self._writer.session
        if self._replaced:
            slots = [{"in_window": each[0], "of": each[1]} for each in sorted(self._replaced)]
            await (await session.connection()).execute(_REPLACED, slots)
        if self._rows:
            await session.execute(insert(_SUBMISSIONS), self._rows)

    async def _after(self, window: WindowRow) -> None:
        """Close windows that everybody has answered, and wake the judge of the others."""
        added = any(row["window_id"] == window.id for row in self._rows)
        if not added:
            return
        if window.status == WindowStatus.OPEN:
            await close_when_all_answered(self._writer, window)
        if window.judge == Judge.APP:
            wake = partial(judge.wake, self._writer.services, window.id)
            self._writer.unit.after_commit(wake)


def _require_in_time(window: WindowRow, received: datetime) -> int:
    """Return the elapsed milliseconds of a submission that is in time; raise for others.

    It counts by the state of the window when it was received, also if a pause has overtaken it.
    Only the close is final.
    """
    if window.status not in UNDER_WAY:
        raise WindowClosed
    arrival = locate(window, received)
    if arrival.is_paused:
        raise WindowPaused
    if arrival.is_late:
        raise WindowClosed
    if arrival.elapsed_ms < window.min_elapsed_ms:
        raise TooEarly(details={"retryAfterMs": window.min_elapsed_ms - arrival.elapsed_ms})
    return arrival.elapsed_ms
