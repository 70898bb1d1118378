"""The payload of a change: what was stored, and the wins in their current state."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.contract import Change, ChangeKind, Wins
from mymozhem.rooms.tables.prizes import WinnerRow
from mymozhem.rooms.tables.timers import TimerRow

#: how many ids one statement names
IDS_AT_ONCE = 500


async def change_of(session: AsyncSession, timer: TimerRow) -> Change:
    """Return the change that is stored in a timer, with its wins in their current state."""
    change = Change.model_validate(timer.payload)
    if change.kind is not ChangeKind.WINNER:
        return change
    single = (change.winner_id,) if change.winner_id else ()
    ids = change.wins.winner_id if change.wins is not None else single
    return change.model_copy(update={"wins": await _wins(session, timer.room_id, ids)})


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
