"""Teams: who is in which, who gets one dealt, and the mean of their members' points."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mymozhem.contract import (
    Context,
    Effect,
    JsonObject,
    Participant,
    Participants,
    ParticipantStatus,
    Role,
    Schedule,
    SetParticipants,
    fold_text,
)

from .game_state import Game, Status, Team
from .question_window import mix
from .settings import Settings

#: the timer that counts members again
TIMER = "teams"

#: the delay collects concurrent choices in one call, and prevents long chains of hooks
SOON_MS = 1_100


def active(participants: Participants | None) -> list[Participant]:
    """Return the participants who take part now and may answer."""
    rows = participants.rows() if participants is not None else ()
    return [
        one
        for one in rows
        if one.role is Role.PARTICIPANT and one.status is ParticipantStatus.ACTIVE
    ]


def team_of(settings: Settings, own: JsonObject, metadata: JsonObject) -> str | None:
    """Return a participant's team: the one that they were given, else the one in their metadata.

    Organizers write or import the metadata; a joining participant cannot. If the app deals the
    teams, only the team that it dealt counts.
    """
    given = named(settings, own.get("team"))
    if given is not None or settings.teams == "balanced":
        return given
    return named(settings, metadata.get("team"))


def named(settings: Settings, name: object) -> str | None:
    """Return the team with this name, ignoring case and spacing, or None if missing."""
    if not isinstance(name, str):
        return None
    return next((one for one in settings.team_names if fold_text(one) == fold_text(name)), None)


def refresh(
    context: Context, settings: Settings, game: Game, gained: Mapping[str, int] | None = None
) -> tuple[Game, tuple[Effect, ...]]:
    """Return the quiz with its current teams, and the effects that deal teams to those without one.

    `gained` are points that this result gives and that the participants do not have yet.
    """
    if settings.teams == "off":
        return game, ()
    people = active(context.participants)
    teams = {one.id: team_of(settings, one.data.own, one.metadata) for one in people}
    dealt = _deal(context, settings, teams) if _deals(settings, game) else {}
    points = {one.id: one.points + (gained or {}).get(one.id, 0) for one in people}
    table = _table(settings, game, teams | dealt, points)
    return game.shown(teams=table), tuple(give(dealt))


def give(teams: Mapping[str, str | None]) -> list[SetParticipants]:
    """Return the effects that set or remove the teams of these participants; none for nobody."""
    own: tuple[JsonObject, ...] = tuple({"team": one} if one else {} for one in teams.values())
    return [SetParticipants(participant_id=tuple(teams), own=own)] if teams else []


def soon(settings: Settings) -> tuple[Schedule, ...]:
    """Return the timer after which the teams are updated; none if the quiz has no teams."""
    return () if settings.teams == "off" else (Schedule(name=TIMER, after_ms=SOON_MS),)


def _deals(settings: Settings, game: Game) -> bool:
    return settings.teams == "balanced" and game.running


def _deal(
    context: Context, settings: Settings, teams: Mapping[str, str | None]
) -> dict[str, str | None]:
    """Give everybody without a team the smallest team, in an unpredictable order."""
    sizes = Counter(team for team in teams.values() if team is not None)
    seed = context.seed or context.call_id
    waiting = sorted(
        (one for one, team in teams.items() if team is None),
        key=lambda person: mix(seed, "team", person),
    )
    dealt: dict[str, str | None] = {}
    for person in waiting:
        smallest = min(settings.team_names, key=lambda name: sizes[name], default=None)
        if smallest is not None:
            dealt[person] = smallest
            sizes[smallest] += 1
    return dealt


def _table(
    settings: Settings,
    game: Game,
    teams: Mapping[str, str | None],
    points: Mapping[str, int],
) -> tuple[Team, ...]:
    """Return the teams with their means, without the points of results that are held back."""
    shows = settings.show_standings or game.public.status is Status.FINISHED
    table = []
    for name in settings.team_names:
        members = [points[one] for one, team in teams.items() if team == name]
        table.append(Team(name=name, members=len(members), mean=_mean(members) if shows else None))
    return tuple(table)


def _mean(points: Sequence[int]) -> float:
    return round(sum(points) / len(points), 1) if points else 0.0
