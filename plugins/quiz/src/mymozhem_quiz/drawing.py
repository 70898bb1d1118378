"""Draws of a quiz: a draw among the participants who are tied for a prize."""

from mymozhem.contract import (
    Context,
    EntryList,
    PreparedDraw,
    PrepareDrawRequest,
    hookimpl,
)

from .game_state import Game
from .messages_en import refusal, say
from .standings import ranker


@hookimpl
def prepare_draw(context: Context, request: PrepareDrawRequest) -> PreparedDraw:
    """Return the tied participants, one ticket each; a draw without a tie is for everybody.

    Raise Refuse if none of them is left in the room.
    """
    game = Game.of(context)
    place = game.private.draws.get(request.key)
    if place is None:
        return PreparedDraw(rule=say(context, "rule.everybody"))
    people, key = request.candidates, ranker(game)
    points = zip(people.id, people.points, strict=True)
    tied = tuple(person for person, score in points if key(person, score) == place)
    if not tied:
        raise refusal(context, "NO_ONE_TIED")
    return PreparedDraw(
        entries=EntryList(participants=tied, tickets=(1,) * len(tied)),
        rule=say(context, "rule.tie"),
    )
