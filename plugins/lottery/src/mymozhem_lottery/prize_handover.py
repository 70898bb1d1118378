"""Hand prizes over to the person who shows a winner's claim or code."""

from collections.abc import Iterable

from mymozhem.contract import (
    ActionResult,
    Context,
    Fulfill,
    JsonObject,
    Refuse,
    Reply,
    Winner,
    WinnerStatus,
)
from mymozhem.contract.wire import Wire

from .claim_codes import claimant, same_code, token_of
from .messages_en import say
from .settings import room_of

#: the effects of one result are limited; a winner of more prizes is scanned again
MOST_AT_ONCE = 150


class HandOverPayload(Wire):
    """What was scanned or typed; if `prize` is set, only that prize is handed over."""

    code: str
    prize_id: str | None = None


def hand_over(context: Context, payload: JsonObject) -> ActionResult:
    """Mark the prizes of the winner who shows the code as handed over, and list them."""
    wish = HandOverPayload.model_validate(payload)
    waiting = [w for w in context.winners or () if w.status is WinnerStatus.AWARDED]
    person, scanned = _shown_by(context, wish.code, context.winners or ())
    wins = [w for w in waiting if w.participant_id == person and _meant(w, wish)]
    if not wins:
        raise Refuse("NOTHING_TO_HAND_OVER", say(context, "NOTHING_TO_HAND_OVER"))
    handed = wins[:MOST_AT_ONCE]
    reply: JsonObject = {
        "participantId": person,
        "prizes": [win.prize_id for win in handed],
        "scanned": scanned,
        "left": len(wins) - len(handed),
    }
    return ActionResult(effects=(*(Fulfill(winner_id=w.id) for w in handed), Reply(data=reply)))


def _meant(win: Winner, wish: HandOverPayload) -> bool:
    return wish.prize_id in (None, win.prize_id)


def _shown_by(context: Context, shown: str, winners: Iterable[Winner]) -> tuple[str, bool]:
    """Return the participant who shows it, and whether it was a claim.

    Only the participant's own phone shows the claim.
    """
    secret = room_of(context).state.private.get("secret")
    if not isinstance(secret, str):
        raise Refuse("CODE_UNKNOWN", say(context, "CODE_UNKNOWN"))
    person = claimant(secret, shown)
    if person is not None:
        return person, True
    people = {winner.participant_id for winner in winners}
    matching = [one for one in people if same_code(token_of(secret, one).code, shown)]
    if len(matching) > 1:
        raise Refuse("CODE_SHARED", say(context, "CODE_SHARED"))
    if not matching:
        raise Refuse("CODE_UNKNOWN", say(context, "CODE_UNKNOWN"))
    return matching[0], False
