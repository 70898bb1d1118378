"""Load what a batch of submissions needs to know of its room, with few queries."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson
from pydantic import JsonValue
from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Judge, ParticipantStatus, Role, Verdict
from mymozhem.errors import Invalid, TooLarge
from mymozhem.manifests.validation_errors import by_field
from mymozhem.manifests.validators import compile_schema
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission, PendingSubmission
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.windows import SubmissionRow, WindowRow

from .rules import Rules

MAX_PAYLOAD_BYTES = 16 * 1024

#: a window's row and a participant, by their ids
Slot = tuple[str, str]


@dataclass(frozen=True)
class Person:
    """A person in the room."""

    id: str
    role: Role
    status: ParticipantStatus


@dataclass(frozen=True)
class FirstSubmission:
    """The submission for which a key was first used."""

    payload: JsonValue
    accepted: AcceptedSubmission


class AcceptingWindow:
    """A window with its schemas compiled, since compiling costs more than a submission."""

    def __init__(self, row: WindowRow) -> None:
        self.row = row
        self.rules = Rules(row)
        self._invited = None if row.participants is None else frozenset(row.participants)
        self._accepts = compile_schema(row.accepts)

    def takes(self, person: Person) -> bool:
        """Return whether a person may submit, at whatever time."""
        invited = self._invited is None or person.id in self._invited
        return invited and person.role in self.row.roles

    def check_payload(self, payload: JsonValue) -> None:
        """Raise if a payload is too large or breaks the window's schema."""
        if len(orjson.dumps(payload)) > MAX_PAYLOAD_BYTES:
            message = f"A submission has {MAX_PAYLOAD_BYTES} bytes at most."
            raise TooLarge(message, code="SUBMISSION_TOO_LARGE")
        problems = self._accepts.errors(payload)
        if problems:
            raise Invalid(code="SUBMISSION_INVALID", fields=by_field(problems, under="/payload"))

    def judge(self, payload: JsonValue) -> tuple[Verdict, int, bool]:
        """Return verdict, points and whether they are final, as far as the host judges now."""
        if self.row.judge != Judge.RULES:
            return Verdict.PENDING, 0, False
        return *self.rules.verdict(payload, without=Verdict.PENDING), True


@dataclass
class SubmissionLookup:
    """The results: by window key, by user, by slot, by slot and submission key.

    `turns` are the counting submissions; the batch adds its own to them.
    """

    windows: dict[str, AcceptingWindow] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    turns: Counter[Slot] = field(default_factory=Counter)
    keys: dict[tuple[str, str, str], FirstSubmission] = field(default_factory=dict)


# Made once: a statement costs as much to put together as to run.
_WINDOWS = (
    select(WindowRow)
    .where(
        WindowRow.room_id == bindparam("room_id"),
        WindowRow.key.in_(bindparam("window_keys", expanding=True)),
    )
    .execution_options(populate_existing=True)
)
_person, _submission = ParticipantRow, SubmissionRow
_PEOPLE = (
    select(
        _person.user_id,
        _person.id,
        _person.role,
        _person.status,
        _submission.window_id,
        func.count(_submission.id),
    )
    .outerjoin(
        _submission,
        and_(
            _submission.participant_id == _person.id,
            _submission.window_id.in_(bindparam("window_ids", expanding=True)),
            _submission.counts,
        ),
    )
    .where(
        _person.room_id == bindparam("room_id"),
        _person.user_id.in_(bindparam("user_ids", expanding=True)),
    )
    .group_by(_person.user_id, _person.id, _person.role, _person.status, _submission.window_id)
)
_KEYS = select(
    _submission.window_id,
    _submission.participant_id,
    _submission.key,
    _submission.payload,
    _submission.id,
    _submission.elapsed_ms,
).where(
    _submission.window_id.in_(bindparam("window_ids", expanding=True)),
    _submission.participant_id.in_(bindparam("person_ids", expanding=True)),
    _submission.key.in_(bindparam("keys", expanding=True)),
)


async def load(
    session: AsyncSession, room_id: str, arriving: Sequence[PendingSubmission]
) -> SubmissionLookup:
    """Return what a batch needs to know; the room is locked, so it stays true."""
    window_keys = sorted({each.window_key for each in arriving})
    found = await session.scalars(_WINDOWS, {"room_id": room_id, "window_keys": window_keys})
    known = SubmissionLookup({row.key: AcceptingWindow(row) for row in found})
    await _load_people(session, room_id, known, {each.caller.user_id for each in arriving})
    keys = {each.key for each in arriving if each.key is not None}
    if keys:
        await _load_keys(session, known, keys)
    return known


async def _load_people(
    session: AsyncSession, room_id: str, known: SubmissionLookup, user_ids: Iterable[str]
) -> None:
    asked = {
        "room_id": room_id,
        "window_ids": _window_ids(known),
        "user_ids": sorted(user_ids),
    }
    for user_id, person_id, role, status, window_id, turns in await session.execute(_PEOPLE, asked):
        known.people[user_id] = Person(person_id, role, status)
        if window_id is not None:
            known.turns[window_id, person_id] = turns


async def _load_keys(session: AsyncSession, known: SubmissionLookup, keys: Iterable[str]) -> None:
    asked = {
        "window_ids": _window_ids(known),
        "person_ids": sorted(person.id for person in known.people.values()),
        "keys": sorted(keys),
    }
    for window_id, person_id, key, payload, row_id, elapsed in await session.execute(_KEYS, asked):
        known.keys[window_id, person_id, key] = FirstSubmission(
            payload, AcceptedSubmission(row_id, elapsed)
        )


def _window_ids(known: SubmissionLookup) -> list[str]:
    return sorted(window.row.id for window in known.windows.values())
