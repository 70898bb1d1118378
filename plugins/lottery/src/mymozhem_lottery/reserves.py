"""Give the prize of an absent winner to the next one in reserve, without another draw."""

from collections.abc import Iterator

from pydantic import TypeAdapter

from mymozhem.contract import (
    ActionResult,
    Award,
    Context,
    Emit,
    JsonObject,
    Refuse,
    Reply,
    Reserve,
    Reserves,
    Revoke,
    SetState,
    Winner,
    WinnerStatus,
)
from mymozhem.contract.wire import Wire

from .messages_en import say
from .revocable_wins import DRAW, REPLACES, find_win
from .settings import room_of, settings_of

MOVED_UP = "movedUp"

ByPrize = dict[str, list[str]]
ByDraw = dict[str, ByPrize]
_KEPT = TypeAdapter(ByDraw)


class MoveUpPayload(Wire):
    """The win to take back."""

    winner_id: str
    reason: str = ""


def move_up(context: Context, payload: JsonObject) -> ActionResult:
    """Take back an absent winner's prize and give it to the next one in reserve, in one step.

    The state keeps who moved up, so that of two concurrent calls each gets somebody else.
    """
    wish = MoveUpPayload.model_validate(payload)
    absent = find_win(context, wish.winner_id)
    if absent.status is WinnerStatus.REVOKED:
        raise Refuse("WINNER_REVOKED", say(context, "WINNER_REVOKED"))
    line = tuple(_line(context, absent))
    if not line:
        raise Refuse("NO_RESERVES", say(context, "NO_RESERVES"))
    moved = _moved_up(context)
    left = tuple(_left(context, absent, line, moved))
    if not left:
        raise Refuse("RESERVES_USED_UP", say(context, "RESERVES_USED_UP"))
    lucky, prize = left[0], absent.prize_id
    facts: JsonObject = {"participantId": lucky.participant_id, "prizeId": prize}
    return ActionResult(
        effects=(
            Revoke(winner_id=absent.id, reason=wish.reason),
            Award(
                participant_id=lucky.participant_id,
                prize_id=prize,
                metadata={DRAW: lucky.draw_id, REPLACES: absent.id},
            ),
            _kept(context, moved, lucky, prize),
            Emit(
                type="lottery:moved_up",
                payload={"drawId": lucky.draw_id, "winnerId": absent.id, **facts},
            ),
            Reply(data={**facts, "left": len(left) - 1}),
        )
    )


def _line(context: Context, absent: Winner) -> Iterator[Reserve]:
    """Yield the reserves that the draw of this win named, in order, as far as they are public."""
    draw_id = absent.draw_id or absent.metadata.get(DRAW)
    for reserve in (context.reserves or Reserves()).rows():
        if reserve.draw_id == draw_id and reserve.prize_id in (None, absent.prize_id):
            yield reserve


def _left(
    context: Context, absent: Winner, line: tuple[Reserve, ...], moved: ByDraw
) -> Iterator[Reserve]:
    """Yield who may move up: in the room, not moved up before, never drawn for this prize.

    If nobody may win twice, participants who hold any prize of the room are left out.
    """
    winners = context.winners or ()
    several = settings_of(context).allow_multiple_wins
    out = {winner.participant_id for winner in winners if winner.prize_id == absent.prize_id}
    if not several:
        standing = (winner for winner in winners if winner.status is not WinnerStatus.REVOKED)
        out |= {winner.participant_id for winner in standing}
    for reserve in line:
        by_prize = moved.get(reserve.draw_id, {})
        lists = by_prize.values() if reserve.prize_id is None else [by_prize.get(absent.prize_id)]
        used = any(reserve.participant_id in (people or ()) for people in lists)
        if reserve.active and not used and reserve.participant_id not in out:
            yield reserve


def _moved_up(context: Context) -> ByDraw:
    """Return who moved up, by draw and by prize."""
    return _KEPT.validate_python(room_of(context).state.organizer.get(MOVED_UP, {}))


def _kept(context: Context, moved: ByDraw, lucky: Reserve, prize_id: str) -> SetState:
    by_prize = moved.get(lucky.draw_id, {})
    people = [*by_prize.get(prize_id, []), lucky.participant_id]
    after = moved | {lucky.draw_id: by_prize | {prize_id: people}}
    return SetState(
        organizer={**room_of(context).state.organizer, MOVED_UP: _KEPT.dump_python(after)}
    )
