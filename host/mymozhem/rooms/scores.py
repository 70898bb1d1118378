"""Points: sums of what was given and taken, and who stands where."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import ParticipantStatus, Role
from mymozhem.contract.events import ScoresChanged, text_digest
from mymozhem.errors import Conflict

from .state import require_participants
from .tables import ParticipantRow, ScoreRow
from .writer import RoomWriter

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

    Conflict POINTS_OUT_OF_RANGE where the sum would leave what is kept.
    """
    person = (await require_participants(writer, (participant_id,)))[participant_id]
    if max(abs(points), abs(person.points + points)) > MOST:
        message = f"Nobody has more than {MOST} points, or fewer than -{MOST}."
        raise Conflict(message, code="POINTS_OUT_OF_RANGE")
    person.points += points
    writer.session.add(
        ScoreRow(
            room_id=writer.room.id,
            participant_id=participant_id,
            points=points,
            reason=reason,
            created_at=writer.now,
        )
    )
    writer.record(
        ScoresChanged(
            participant_id=participant_id, points=points, reason_digest=text_digest(reason)
        )
    )


async def standings(session: AsyncSession, room_id: str, *, limit: int = TOP) -> list[Standing]:
    """Return the best of a room, ties as ties; empty where nobody has points."""
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
