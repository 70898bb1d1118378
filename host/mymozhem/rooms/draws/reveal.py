"""The reveal of a draw: only now are its winners, events and link published."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select, update

from mymozhem.contract import Change, ChangeKind, DrawStatus, WinnerStatus, fair
from mymozhem.contract.events import DrawRevealed, WinnerRevoked, text_digest
from mymozhem.errors import Conflict, NotFound
from mymozhem.rooms.core.transaction import RoomTransaction
from mymozhem.rooms.prizes import inventory, winners
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.prizes import WinnerRow

from .items import is_of_items, note_revealed, revealed_count
from .published_records import publish
from .queries import guarantee_of, release, schedule_next
from .secret import link_of

#: winners after which others get their turn
AT_ONCE = 500

HELD_ALREADY = "Won this prize in another way before the reveal."


async def reveal(
    transaction: RoomTransaction,
    draw: DrawRow,
    prizes: Collection[str] | None = None,
    *,
    count: int | None = None,
) -> None:
    """Reveal the winners of the named prizes, or of all; idempotent, except with a `count`.

    `count` is the number of a draw's next items, None for all that are left. Link and record are
    published with the last prize or item, and unused reserved units return then. Raises Conflict
    DRAW_NOT_DRAWN before there is a result, DRAW_OF_PEOPLE for a count, and NotFound for a prize
    that is not in the draw.
    """
    if count is not None and not is_of_items(draw):
        message = "This draw is one of people; name its prizes, or none for all."
        raise Conflict(message, code="DRAW_OF_PEOPLE")
    if draw.status is DrawStatus.REVEALED:
        return
    if draw.status is not DrawStatus.DRAWN:
        message = f"This draw is {draw.status}; there is no result to reveal."
        raise Conflict(message, code="DRAW_NOT_DRAWN", details={"status": draw.status})
    rule = fair.Rule.model_validate(draw.rule)
    if is_of_items(draw):
        await _reveal_items(transaction, draw, rule, prizes, count)
        return
    fresh = _fresh(rule, draw.revealed_prizes, prizes)
    if not fresh:
        return
    await _show_winners(transaction, draw, fresh)
    draw.revealed_prizes = [*draw.revealed_prizes, *fresh]
    complete = len(draw.revealed_prizes) == len(rule.prizes)
    if complete:
        await _complete(transaction, draw, rule)
    _tell(transaction, draw, rule, fresh, complete=complete)
    if complete:
        await schedule_next(transaction)


async def _reveal_items(
    transaction: RoomTransaction,
    draw: DrawRow,
    rule: fair.Rule,
    prizes: Collection[str] | None,
    count: int | None,
) -> None:
    if prizes is not None:
        raise _no_prize(next(iter(prizes), ""))
    drawn = await _drawn_items(transaction, draw)
    shown = revealed_count(draw)
    upto = len(drawn) if count is None else min(shown + count, len(drawn))
    note_revealed(draw, upto)
    complete = upto == len(drawn)
    if complete:
        await _complete(transaction, draw, rule)
    _tell(transaction, draw, rule, (), complete=complete, items=drawn[shown:upto])
    if complete:
        await schedule_next(transaction)


async def _drawn_items(transaction: RoomTransaction, draw: DrawRow) -> tuple[str, ...]:
    picks = await transaction.session.scalar(select(DrawRow.picks).where(DrawRow.id == draw.id))
    return tuple(str(pick["participantId"]) for pick in picks or ())


async def link_if_committed(transaction: RoomTransaction, draw: DrawRow) -> str | None:
    """Return the link of a draw that is about to be public; None if none was reserved."""
    if draw.link_index is None:
        return None
    return (await link_of(transaction.services.keys, transaction.room, draw.link_index)).hex()


def _fresh(
    rule: fair.Rule, revealed: Sequence[str], prizes: Collection[str] | None
) -> tuple[str, ...]:
    """Return the picks that are revealed now, in the rule's order."""
    all_of_them = [prize.prize_id for prize in rule.prizes]
    unknown = sorted(set(prizes or ()) - set(all_of_them))
    if unknown:
        raise _no_prize(unknown[0])
    wanted = all_of_them if prizes is None else prizes
    return tuple(prize for prize in all_of_them if prize in wanted and prize not in revealed)


def _no_prize(prize_id: str) -> NotFound:
    message = f"{prize_id!r} is no prize of this draw."
    return NotFound(message, code="PRIZE_NOT_FOUND")


async def _show_winners(
    transaction: RoomTransaction, draw: DrawRow, prizes: tuple[str, ...]
) -> None:
    rows = await _sealed_rows(transaction, draw, prizes)
    holders = await _holders(transaction, prizes)
    ordered = sorted(rows, key=lambda row: (prizes.index(row.prize_id), row.ordinal))
    for place, row in enumerate(ordered):
        winners.record_selected(transaction, row)
        if place % AT_ONCE == 0:
            await asyncio.sleep(0)
    taken = [row for row in ordered if (row.prize_id, row.participant_id) in holders]
    await _take_back(transaction, taken)
    await transaction.session.execute(
        update(WinnerRow)
        .where(
            WinnerRow.draw_id == draw.id,
            WinnerRow.sealed.is_(True),
            WinnerRow.prize_id.in_(prizes),
        )
        .values(sealed=False, updated_at=transaction.now)
    )
    standing = [row for row in ordered if row.status is WinnerStatus.AWARDED]
    winners.notify_wins(transaction, standing, what="selected")


async def _sealed_rows(
    transaction: RoomTransaction, draw: DrawRow, prizes: tuple[str, ...]
) -> Sequence[WinnerRow]:
    found = await transaction.session.scalars(
        select(WinnerRow).where(
            WinnerRow.draw_id == draw.id,
            WinnerRow.sealed.is_(True),
            WinnerRow.prize_id.in_(prizes),
        )
    )
    return found.all()


async def _holders(transaction: RoomTransaction, prizes: tuple[str, ...]) -> set[tuple[str, str]]:
    """Return the participants who already won one of the prizes by hand since the commit."""
    found = await transaction.session.execute(
        select(WinnerRow.prize_id, WinnerRow.participant_id).where(
            WinnerRow.room_id == transaction.room.id,
            WinnerRow.prize_id.in_(prizes),
            WinnerRow.sealed.is_(False),
            WinnerRow.status != WinnerStatus.REVOKED,
        )
    )
    return {(prize_id, participant_id) for prize_id, participant_id in found}


async def _take_back(transaction: RoomTransaction, taken: Iterable[WinnerRow]) -> None:
    """Revoke a second win of the same prize: the result stays visible, the unit returns."""
    for row in taken:
        row.status, row.reason = WinnerStatus.REVOKED, HELD_ALREADY
        await inventory.give_back(transaction, row.prize_id, 1)
        transaction.record(
            WinnerRevoked(
                winner_id=row.id,
                participant_id=row.participant_id,
                prize_id=row.prize_id,
                reason_digest=text_digest(row.reason),
            )
        )
    await transaction.session.flush()


async def _complete(transaction: RoomTransaction, draw: DrawRow, rule: fair.Rule) -> None:
    draw.status, draw.revealed_at = DrawStatus.REVEALED, transaction.now
    draw.link = await link_if_committed(transaction, draw)
    release(draw)
    if is_of_items(draw):
        await publish(transaction, draw)
        return
    picks = await transaction.session.scalar(select(DrawRow.picks).where(DrawRow.id == draw.id))
    used = Counter(pick["prizeId"] for pick in picks or ())
    for prize in rule.prizes:
        await inventory.give_back(transaction, prize.prize_id, prize.count - used[prize.prize_id])
    await publish(transaction, draw)


def _tell(
    transaction: RoomTransaction,
    draw: DrawRow,
    rule: fair.Rule,
    prizes: tuple[str, ...],
    *,
    complete: bool,
    items: tuple[str, ...] | None = None,
) -> None:
    transaction.record(
        DrawRevealed(
            draw_id=draw.id,
            key=draw.key,
            prizes=prizes,
            complete=complete,
            link=draw.link,
            guarantee=guarantee_of(rule),
            items=items,
        )
    )
    transaction.changed(
        Change(
            kind=ChangeKind.DRAW,
            what="revealed",
            draw_id=draw.id,
            key=draw.key,
            items=items if is_of_items(draw) else None,
        )
    )
    transaction.audit("draw.reveal", subject=draw.id, prizes=list(prizes))
