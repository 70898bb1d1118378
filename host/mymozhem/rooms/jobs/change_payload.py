"""The payload of a change: what was stored, completed by what is known when the call is made."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.tables import UserRow
from mymozhem.contract import Change, ChangedParticipant, ChangeKind, Wins
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.participants import ParticipantRow
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.timers import TimerRow

#: how many ids one statement names
IDS_AT_ONCE = 500


async def change_of(session: AsyncSession, timer: TimerRow) -> Change:
    """Return the change that is stored in a timer, completed.

    Wins and the participant who joined are as they are now; a win of a draw names its key.
    """
    change = Change.model_validate(timer.payload)
    if change.kind is ChangeKind.JOINED:
        joined = await _participant(session, timer.room_id, change.participant_id)
        return change.model_copy(update={"participant": joined})
    if change.kind is not ChangeKind.WINNER:
        return change
    single = (change.winner_id,) if change.winner_id else ()
    ids = change.wins.winner_id if change.wins is not None else single
    completed = {
        "wins": await _wins(session, timer.room_id, ids),
        "key": await _key(session, timer.room_id, change.draw_id),
    }
    return change.model_copy(update=completed)


async def _participant(
    session: AsyncSession, room_id: str, participant_id: str | None
) -> ChangedParticipant | None:
    found = await session.execute(
        select(ParticipantRow.role, UserRow.kind, ParticipantRow.status)
        .join(UserRow, UserRow.id == ParticipantRow.user_id)
        .where(ParticipantRow.room_id == room_id, ParticipantRow.id == participant_id)
    )
    row = found.one_or_none()
    return None if row is None else ChangedParticipant(role=row[0], kind=row[1], status=row[2])


async def _key(session: AsyncSession, room_id: str, draw_id: str | None) -> str | None:
    if draw_id is None:
        return None
    return await session.scalar(
        select(DrawRow.key).where(DrawRow.room_id == room_id, DrawRow.id == draw_id)
    )


async def _wins(session: AsyncSession, room_id: str, ids: Sequence[str]) -> Wins:
    found: dict[str, WinnerRow] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        rows = await session.scalars(
            select(WinnerRow).where(
                WinnerRow.room_id == room_id,
                WinnerRow.sealed.is_(False),
                WinnerRow.id.in_(ids[start : start + IDS_AT_ONCE]),
            )
        )
        found |= {win.id: win for win in rows}
    wins = [found[each] for each in ids if each in found]
    return Wins(
        winner_id=tuple(win.id for win in wins),
        participant_id=tuple(win.participant_id for win in wins),
        prize_id=tuple(win.prize_id for win in wins),
        status=tuple(win.status for win in wins),
    )
