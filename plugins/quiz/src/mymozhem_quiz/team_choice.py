"""The actions that put people into teams: participants choose one, or an organizer assigns it."""

from mymozhem.contract import (
    ActionAnswer,
    ActionRequest,
    ActionResult,
    Actor,
    Context,
    JsonObject,
    Refuse,
)
from mymozhem.contract.wire import Wire

from .game_state import Game, Status
from .messages_en import refusal
from .settings import Settings, settings_of
from .teams import give, named, soon, team_of


class ChoosePayload(Wire):
    """The team that the participant chose."""

    team: str


class AssignPayload(Wire):
    """The participant and the new team; None removes the participant from the team."""

    participant_id: str
    team: str | None = None


def choose_team(context: Context, request: ActionRequest) -> ActionResult:
    """Put each participant in the call into the chosen team, or reply with the reason why not."""
    if request.calls is not None:
        answers = tuple(_answer(context, one.actor, one.payload) for one in request.calls)
        return ActionResult(answers=answers)
    if context.actor is None:
        raise refusal(context, "NO_TEAMS")
    return _chosen(context, context.actor, request.payload)


def assign_team(context: Context, payload: JsonObject) -> ActionResult:
    """Put a participant into a team, at any time; this replaces a chosen or dealt team."""
    settings, wish = settings_of(context), AssignPayload.model_validate(payload)
    if settings.teams == "off":
        raise refusal(context, "NO_TEAMS")
    team = None if wish.team is None else _named(context, settings, wish.team)
    return ActionResult(effects=(*give({wish.participant_id: team}), *soon(settings)))


def _answer(context: Context, actor: Actor, payload: JsonObject) -> ActionAnswer:
    try:
        return ActionAnswer(effects=_chosen(context, actor, payload).effects)
    except Refuse as no:
        return ActionAnswer(refuse=no.refusal)


def _chosen(context: Context, actor: Actor, payload: JsonObject) -> ActionResult:
    settings, game = settings_of(context), Game.of(context)
    if settings.teams != "chosen" or actor.participant_id is None:
        raise refusal(context, "NO_TEAMS")
    team = _named(context, settings, ChoosePayload.model_validate(payload).team)
    before = team_of(settings, actor.data.own, actor.metadata)
    if before is not None and game.public.status is not Status.WAITING:
        raise refusal(context, "TEAM_CHOSEN", team=before)
    return ActionResult(effects=(*give({actor.participant_id: team}), *soon(settings)))


def _named(context: Context, settings: Settings, name: str) -> str:
    team = named(settings, name)
    if team is None:
        raise refusal(context, "TEAM_UNKNOWN", team=name)
    return team
