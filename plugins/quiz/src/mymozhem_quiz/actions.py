"""The actions: organizers play, correct, end and review the quiz; participants choose a team."""

from collections.abc import Callable

from mymozhem.contract import ActionRequest, ActionResult, Context, JsonObject, Refuse, hookimpl

from .corrections import accept, correct, replay, void
from .final_results import end
from .question_flow import close, reveal, show_next, show_question, start
from .statistics import statistics
from .team_choice import assign_team, choose_team

Act = Callable[[Context, JsonObject], ActionResult]

ACTIONS: dict[str, Act] = {
    "start": start,
    "next": show_next,
    "show": show_question,
    "close": close,
    "reveal": reveal,
    "correct": correct,
    "accept": accept,
    "void": void,
    "replay": replay,
    "end": end,
    "statistics": statistics,
    "assignTeam": assign_team,
}

#: the action whose calls the host batches
BATCHED = "chooseTeam"


@hookimpl
def handle_action(context: Context, request: ActionRequest) -> ActionResult:
    """Run the action that the request names; its payload satisfies the manifest's schema."""
    if request.action == BATCHED:
        return choose_team(context, request)
    act = ACTIONS.get(request.action)
    if act is None:
        raise Refuse("ACTION_UNKNOWN", f"The quiz has no action {request.action!r}.")
    return act(context, request.payload)
