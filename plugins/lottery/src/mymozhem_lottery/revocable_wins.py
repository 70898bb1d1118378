"""Wins that an organizer wants to take back."""

from mymozhem.contract import Context, Refuse, Winner, WinnerStatus

from .messages_en import say

#: metadata of an award: the win that it replaces, and the draw of its winner
REPLACES, DRAW = "replaces", "drawId"


def find_win(context: Context, winner_id: str) -> Winner:
    """Return a win whose prize may go to somebody else.

    Raise Refuse if the win is unknown, its prize was handed over, or somebody moved up for it.
    """
    winners = context.winners or ()
    win = next((winner for winner in winners if winner.id == winner_id), None)
    if win is None:
        raise Refuse("WINNER_UNKNOWN", say(context, "WINNER_UNKNOWN"))
    if win.status is WinnerStatus.FULFILLED:
        raise Refuse("WINNER_FULFILLED", say(context, "WINNER_FULFILLED"))
    if any(winner.metadata.get(REPLACES) == winner_id for winner in winners):
        raise Refuse("WINNER_REPLACED", say(context, "WINNER_REPLACED"))
    return win
