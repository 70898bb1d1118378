"""Points: sums of what was given and taken, and who stands where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import ParticipantStatus, Role
from mymozhem.contract.events import Place, ScoresChanged, StandingsChanged, text_digest
from mymozhem.db.base import new_id
from mymozhem.errors import Conflict

from .core.participant_lookup import IDS_AT_ONCE, require_participants
from .core.transaction import RoomWriter
from .tables.participants import ParticipantRow
from .tables.scores import ScoreRow

TOP = 10

#: nobody has more points than this, or fewer than its negative
MOST = 1_000_000_000


@dataclass(frozen=True)
class Standing:
    """A place in the standings; equal points are one rank, and the next rank is skipped."""

    rank: int
    participant_id: str
    display_name: str
    points: int


async def adjust(writer: RoomWriter, participant_id: str, *, points: int, reason: str) -> None:
    """Add points to a participant or take them, with a reason that the log keeps.

    While an app settles a window that holds its results back, what it gives is held back as well.
    Conflict POINTS_OUT_OF_RANGE where the sum would leave what is kept.
    """
    person = (await require_participants(writer, (participant_id,)))[participant_id]
    _refuse_more(points)
    writer.session.add(
        ScoreRow(
            room_id=writer.room.id,
            participant_id=participant_id,
            window_id=writer.held_back,
            points=points,
            reason=reason,
            sealed=writer.held_back is not None,
            created_at=writer.now,
        )
    )
    if writer.held_back is None:
        _give(writer, person, points, reason=reason)


async def credit(
    writer: RoomWriter, deltas: Mapping[str, int], *, window_id: str, window: str, reason: str
) -> None:
    """Add what a window gives to the scores, by participant; nothing is written for zero.

    `window` is the id that its app gave it. Raises as `adjust`.
    """
    given = [(person_id, points) for person_id, points in deltas.items() if points]
    for start in range(0, len(given), IDS_AT_ONCE):
        some = dict(given[start : start + IDS_AT_ONCE])
        people = await require_participants(writer, some)
        for person_id, points in some.items():
            _give(writer, people[person_id], points, reason=reason, window=window)
        await writer.session.flush()
        rows = [
            {
                "id": new_id("score"),
                "room_id": writer.room.id,
                "participant_id": person_id,
                "window_id": window_id,
                "points": points,
                "reason": reason,
                "sealed": False,
                "created_at": writer.now,
            }
            for person_id, points in some.items()
        ]
        await writer.session.execute(insert(ScoreRow), rows)


async def unseal(writer: RoomWriter, window_id: str, *, window: str) -> None:
    """Count the adjustments that were held back together with a window's results."""
    sealed = (
        await writer.session.scalars(
            select(ScoreRow).where(ScoreRow.window_id == window_id, ScoreRow.sealed)
        )
    ).all()
    people = await require_participants(writer, {row.participant_id for row in sealed})
    for row in sealed:
        row.sealed = False
        _give(writer, people[row.participant_id], row.points, reason=row.reason, window=window)


async def announce(writer: RoomWriter, *, shown: bool) -> None:
    """Tell everybody the standings, or hide them from participants until they are told again."""
    writer.room.standings_hidden = not shown
    if not shown:
        return
    await writer.session.flush()
    places = await standings(writer.session, writer.room.id)
    top = tuple(
        Place(rank=each.rank, participant_id=each.participant_id, points=each.points)
        for each in places
    )
    writer.record(StandingsChanged(top=top))


async def standings(
    session: AsyncSession, room_id: str, *, limit: int | None = TOP
) -> list[Standing]:
    """Return the best of a room, ties as ties, None for all; empty where nobody has points."""
    rows = (
        await session.scalars(
            select(ParticipantRow)
            .where(
                ParticipantRow.room_id == room_id,
                ParticipantRow.role == Role.PARTICIPANT,
                ParticipantRow.status == ParticipantStatus.ACTIVE,
                ParticipantRow.points != 0,
            )
            .order_by(ParticipantRow.points.desc(), ParticipantRow.id)
            .limit(limit)
        )
    ).all()
    return rank(rows)


def rank(rows: Iterable[ParticipantRow]) -> list[Standing]:
    """Number people who are sorted by points, best first."""
    ranked: list[Standing] = []
    for place, row in enumerate(rows, start=1):
        tied = bool(ranked) and ranked[-1].points == row.points
        number = ranked[-1].rank if tied else place
        ranked.append(Standing(number, row.id, row.display_name, row.points))
    return ranked


def _give(
    writer: RoomWriter,
    person: ParticipantRow,
    points: int,
    *,
    reason: str,
    window: str | None = None,
) -> None:
    _refuse_more(points, person.points + points)
    person.points += points
    writer.record(
        ScoresChanged(
            participant_id=person.id,
            points=points,
            reason_digest=text_digest(reason),
            window_id=window,
        )
    )


def _refuse_more(*points: int) -> None:
    if max(map(abs, points)) > MOST:
        message = f"Nobody has more than {MOST} points, or fewer than -{MOST}."
        raise Conflict(message, code="POINTS_OUT_OF_RANGE")
