"""Winners: awarded, fulfilled, moved, revoked. The database itself guards quantities."""

from collections.abc import Sequence

from sqlalchemy import select, update

from mymozhem.contract import (
    Change,
    ChangeKind,
    JsonObject,
    ParticipantStatus,
    WinnerStatus,
    Wins,
)
from mymozhem.contract.events import (
    WinnerFulfilled,
    WinnerMoved,
    WinnerRevoked,
    WinnerSelected,
    text_digest,
)
from mymozhem.errors import Conflict, NotFound
from mymozhem.rooms.core.participant_lookup import require_participants
from mymozhem.rooms.core.transaction import ENDED, RoomTransaction
from mymozhem.rooms.tables.prizes import PrizeRow, WinnerRow

from .inventory import give_back, reserve

#: wins in one change, so that what an app answers to it stays small enough to be taken
WINS_AT_ONCE = 1_000


class AlreadyWon(Conflict):
    """This participant has already won this prize."""

    default_code = "ALREADY_WON"


async def award(
    transaction: RoomTransaction, *, participant_id: str, prize_id: str, metadata: JsonObject
) -> WinnerRow:
    """Make an active participant a winner of one unit of a prize, visible immediately.

    Raises NotFound for people and prizes of another room, PRIZE_EXHAUSTED, AlreadyWon, and
    NOT_ACTIVE for a participant who is not active.
    """
    if transaction.room.status in ENDED:
        message = "The room has ended; a revoked win can still be drawn again."
        raise Conflict(message, code="ROOM_ENDED")
    person = (await require_participants(transaction, (participant_id,)))[participant_id]
    if person.status != ParticipantStatus.ACTIVE:
        message = "Only people who take part can win."
        raise Conflict(message, code="NOT_ACTIVE")
    await find_prize(transaction, prize_id)
    await _require_first_win(transaction, participant_id=participant_id, prize_id=prize_id)
    await reserve(transaction, prize_id, 1)
    winner = WinnerRow(
        room_id=transaction.room.id,
        participant_id=participant_id,
        prize_id=prize_id,
        data=metadata,
        status=WinnerStatus.AWARDED,
        created_at=transaction.now,
        updated_at=transaction.now,
    )
    transaction.session.add(winner)
    await transaction.session.flush()
    record_selected(transaction, winner)
    notify_wins(transaction, (winner,), what="selected")
    return winner


async def fulfill(transaction: RoomTransaction, winner_id: str) -> WinnerRow:
    """Mark the prize as handed over; idempotent."""
    winner = await find_winner(transaction, winner_id)
    if winner.status == WinnerStatus.FULFILLED:
        return winner
    _require_not_revoked(winner)
    await _advance(transaction, winner, WinnerStatus.FULFILLED)
    transaction.record(
        WinnerFulfilled(
            winner_id=winner.id,
            participant_id=winner.participant_id,
            prize_id=winner.prize_id,
        )
    )
    transaction.audit("winner.fulfill", subject=winner.id)
    notify_wins(transaction, (winner,), what="fulfilled")
    return winner


async def revoke(transaction: RoomTransaction, winner_id: str, *, reason: str | None) -> WinnerRow:
    """Revoke a win and return its unit; idempotent."""
    winner = await find_winner(transaction, winner_id)
    if winner.status == WinnerStatus.REVOKED:
        return winner
    await _advance(transaction, winner, WinnerStatus.REVOKED, reason=reason)
    await give_back(transaction, winner.prize_id, 1)
    transaction.record(
        WinnerRevoked(
            winner_id=winner.id,
            participant_id=winner.participant_id,
            prize_id=winner.prize_id,
            reason_digest=text_digest(reason),
        )
    )
    transaction.audit("winner.revoke", subject=winner.id, reason=reason)
    notify_wins(transaction, (winner,), what="revoked")
    return winner


async def move(
    transaction: RoomTransaction, winner_id: str, *, prize_id: str, reason: str
) -> WinnerRow:
    """Give a winner another prize instead, visibly and with a reason."""
    winner = await find_winner(transaction, winner_id)
    _require_not_revoked(winner)
    previous = winner.prize_id
    if previous == prize_id:
        return winner
    await find_prize(transaction, prize_id)
    await _require_first_win(transaction, participant_id=winner.participant_id, prize_id=prize_id)
    await reserve(transaction, prize_id, 1)
    await give_back(transaction, previous, 1)
    winner.prize_id, winner.reason, winner.updated_at = prize_id, reason, transaction.now
    transaction.record(
        WinnerMoved(
            winner_id=winner.id,
            participant_id=winner.participant_id,
            prize_id=prize_id,
            previous_prize_id=previous,
            reason_digest=text_digest(reason),
        )
    )
    transaction.audit("winner.move", subject=winner.id, reason=reason)
    notify_wins(transaction, (winner,), what="moved")
    return winner


async def find_prize(transaction: RoomTransaction, prize_id: str) -> PrizeRow:
    """Return a prize of this room; NotFound for any other."""
    prize = await transaction.session.scalar(
        select(PrizeRow).where(
            PrizeRow.id == prize_id,
            PrizeRow.room_id == transaction.room.id,
            PrizeRow.deleted_at.is_(None),
        )
    )
    if prize is None:
        raise _prize_not_found(prize_id)
    return prize


async def find_winner(transaction: RoomTransaction, winner_id: str) -> WinnerRow:
    """Return a winner of this room; NotFound for any other, and for one that is sealed."""
    winner = await transaction.session.scalar(
        select(WinnerRow).where(
            WinnerRow.id == winner_id,
            WinnerRow.room_id == transaction.room.id,
            WinnerRow.sealed.is_(False),
        )
    )
    if winner is None:
        message = "There is no such winner."
        raise NotFound(message, code="WINNER_NOT_FOUND")
    return winner


def record_selected(transaction: RoomTransaction, winner: WinnerRow) -> None:
    """Record that a participant won."""
    transaction.record(
        WinnerSelected(
            winner_id=winner.id,
            participant_id=winner.participant_id,
            prize_id=winner.prize_id,
            draw_id=winner.draw_id,
            metadata=winner.data,
        )
    )


def notify_wins(transaction: RoomTransaction, winners: Sequence[WinnerRow], *, what: str) -> None:
    """Notify the app of wins that this commit changed, in one change or in several."""
    if ChangeKind.WINNER not in transaction.manifest.changes:
        return
    for start in range(0, len(winners), WINS_AT_ONCE):
        _tell_some(transaction, winners[start : start + WINS_AT_ONCE], what=what)


def _tell_some(transaction: RoomTransaction, winners: Sequence[WinnerRow], *, what: str) -> None:
    wins = Wins(
        winner_id=tuple(winner.id for winner in winners),
        participant_id=tuple(winner.participant_id for winner in winners),
        prize_id=tuple(winner.prize_id for winner in winners),
        status=tuple(winner.status for winner in winners),
    )
    only = winners[0] if len(winners) == 1 else None
    transaction.changed(
        Change(
            kind=ChangeKind.WINNER,
            what=what,
            winner_id=only.id if only else None,
            participant_id=only.participant_id if only else None,
            prize_id=only.prize_id if only else None,
            draw_id=winners[0].draw_id,
            wins=wins,
        )
    )


async def _advance(
    transaction: RoomTransaction,
    winner: WinnerRow,
    status: WinnerStatus,
    *,
    reason: str | None = None,
) -> None:
    """Change the status of a win, guarded by the status that was read."""
    moved = await transaction.session.execute(
        update(WinnerRow)
        .where(WinnerRow.id == winner.id, WinnerRow.status == winner.status)
        .values(status=status, reason=reason or winner.reason, updated_at=transaction.now)
        .returning(WinnerRow.id)
    )
    if moved.first() is None:
        message = "Somebody else changed this win just now; look again."
        raise Conflict(message, code="WINNER_CHANGED")
    await transaction.session.refresh(winner)


async def _require_first_win(
    transaction: RoomTransaction, *, participant_id: str, prize_id: str
) -> None:
    already = await transaction.session.scalar(
        select(WinnerRow.id).where(
            WinnerRow.prize_id == prize_id,
            WinnerRow.participant_id == participant_id,
            WinnerRow.status != WinnerStatus.REVOKED,
            WinnerRow.sealed.is_(False),
        )
    )
    if already is not None:
        raise AlreadyWon


def _require_not_revoked(winner: WinnerRow) -> None:
    if winner.status == WinnerStatus.REVOKED:
        message = "This win was revoked."
        raise Conflict(message, code="WINNER_REVOKED")


def _prize_not_found(prize_id: str) -> NotFound:
    message = "There is no such prize in this room."
    return NotFound(message, code="PRIZE_NOT_FOUND", details={"prizeId": prize_id})
