"""The actions of organizers: draw, draw again, move the next one up, change the date, hand over."""

from collections.abc import Callable

from mymozhem.contract import ActionRequest, ActionResult, Context, JsonObject, Refuse, hookimpl

from .draw_requests import draw, redraw, schedule
from .prize_handover import hand_over
from .reserves import move_up

Act = Callable[[Context, JsonObject], ActionResult]

ACTIONS: dict[str, Act] = {
    "draw": draw,
    "redraw": redraw,
    "moveUp": move_up,
    "schedule": schedule,
    "handOver": hand_over,
}


@hookimpl
def handle_action(context: Context, request: ActionRequest) -> ActionResult:
    """Run the action that the request names; its payload satisfies the manifest's schema."""
    act = ACTIONS.get(request.action)
    if act is None:
        raise Refuse("ACTION_UNKNOWN", f"The lottery has no action {request.action!r}.")
    return act(context, request.payload)
