"""Points: the sums of what was given and taken, and the standings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import ParticipantStatus, Role
from mymozhem.contract.events import Place, ScoresChanged, StandingsChanged, text_digest
from mymozhem.db.base import new_id
from mymozhem.errors import Conflict

from .core.participant_lookup import IDS_AT_ONCE, require_participants
from .core.transaction import RoomTransaction
from .tables.participants import ParticipantRow
from .tables.scores import ScoreRow

TOP = 10

#: nobody has more points than this, or fewer than its negative
MOST = 1_000_000_000


@dataclass(frozen=True)
class Standing:
    """A place in the standings; equal points share a rank, and the next rank is skipped."""

    rank: int
    participant_id: str
    display_name: str
    points: int


async def adjust(
    transaction: RoomTransaction, participant_id: str, *, points: int, reason: str
) -> None:
    """Give points to a participant or take them, with a reason that is kept in the log.

    While an app settles a window whose results are held back, its adjustments are held back, too.
    Raises Conflict POINTS_OUT_OF_RANGE if the sum would exceed the stored range.
    """
    person = (await require_participants(transaction, (participant_id,)))[participant_id]
    _check_bounds(points)
    transaction.session.add(
        ScoreRow(
            room_id=transaction.room.id,
            participant_id=participant_id,
            window_id=transaction.held_back,
            points=points,
            reason=reason,
            sealed=transaction.held_back is not None,
            created_at=transaction.now,
        )
    )
    if transaction.held_back is None:
        _give(transaction, person, points, reason=reason)


async def credit(
    transaction: RoomTransaction,
    deltas: Mapping[str, int],
    *,
    window_id: str,
    window_key: str,
    reason: str,
) -> None:
    """Add the points of a window to the scores, by participant; zero writes nothing.

    `window` is the key that its app gave it. Raises: see `adjust`.
    """
    given = [(person_id, points) for person_id, points in deltas.items() if points]
    for start in range(0, len(given), IDS_AT_ONCE):
        some = dict(given[start : start + IDS_AT_ONCE])
        people = await require_participants(transaction, some)
        for person_id, points in some.items():
            _give(transaction, people[person_id], points, reason=reason, window_key=window_key)
        await transaction.session.flush()
        rows = [
            {
                "id": new_id("score"),
                "room_id": transaction.room.id,
                "participant_id": person_id,
                "window_id": window_id,
                "points": points,
                "reason": reason,
                "sealed": False,
                "created_at": transaction.now,
            }
            for person_id, points in some.items()
        ]
        await transaction.session.execute(insert(ScoreRow), rows)


async def unseal(transaction: RoomTransaction, window_id: str, *, window_key: str) -> None:
    """Count the adjustments that were held back together with a window's results."""
    sealed = (
        await transaction.session.scalars(
            select(ScoreRow).where(ScoreRow.window_id == window_id, ScoreRow.sealed)
        )
    ).all()
    people = await require_participants(transaction, {row.participant_id for row in sealed})
    for row in sealed:
        row.sealed = False
        _give(
            transaction,
            people[row.participant_id],
            row.points,
            reason=row.reason,
            window_key=window_key,
        )


async def announce(transaction: RoomTransaction, *, shown: bool) -> None:
    """Announce the standings, or hide them from participants until the next announcement."""
    transaction.room.standings_hidden = not shown
    if not shown:
        return
    await transaction.session.flush()
    places = await standings(transaction.session, transaction.room.id)
    top = tuple(
        Place(rank=each.rank, participant_id=each.participant_id, points=each.points)
        for each in places
    )
    transaction.record(StandingsChanged(top=top))


async def standings(
    session: AsyncSession, room_id: str, *, limit: int | None = TOP
) -> list[Standing]:
    """Return the best of a room with shared ranks, all for `limit` None; empty without points."""
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
    """Rank participants that are sorted by points, the best first."""
    ranked: list[Standing] = []
    for place, row in enumerate(rows, start=1):
        tied = bool(ranked) and ranked[-1].points == row.points
        number = ranked[-1].rank if tied else place
        ranked.append(Standing(number, row.id, row.display_name, row.points))
    return ranked


def _give(
    transaction: RoomTransaction,
    person: ParticipantRow,
    points: int,
    *,
    reason: str,
    window_key: str | None = None,
) -> None:
    _check_bounds(points, person.points + points)
    person.points += points
    transaction.record(
        ScoresChanged(
            participant_id=person.id,
            points=points,
            reason_digest=text_digest(reason),
            window_id=window_key,
        )
    )


def _check_bounds(*points: int) -> None:
    if max(map(abs, points)) > MOST:
        message = f"Nobody has more than {MOST} points, or fewer than -{MOST}."
        raise Conflict(message, code="POINTS_OUT_OF_RANGE")
