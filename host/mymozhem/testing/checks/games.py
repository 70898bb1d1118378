"""Checks that a room can be used from start to end by every role, and that its log replays."""

from collections.abc import Iterator

from mymozhem.testing.conformance_run import ConformanceRun, NothingToTry, TransportRun
from mymozhem.testing.simulation import Simulation

from .answers import questions_are_answered_inside, questions_are_answered_served

MOST = 10


def room_can_be_started(trial: ConformanceRun) -> Iterator[str]:
    """A room can be made and started with settings of the app's own."""
    game = trial.inside.game
    if game.settings is None:
        reasons = "; ".join(dict.fromkeys(game.refused)) or "the schema allows none"
        yield (
            "No room could be started with the settings that were tried: "
            f"{reasons}. Put `examples` into the settings' schema, or give settings: "
            "conformance(…, settings={…})."
        )


def people_can_join(trial: ConformanceRun) -> Iterator[str]:
    """Two people can come into a room that is running."""
    game = _game(trial.inside)
    joins = [each for each in game.tried if each.what.endswith("joins")]
    for name in ("Ada", "Bob"):
        mine = [each for each in joins if each.what.startswith(name)]
        if not mine:
            yield (
                "No answers could be made for the schema of `registration`: put `examples` into "
                "it, or give answers: conformance(…, answers={…})."
            )
        elif all(each.outcome != "done" for each in mine):
            yield f"{name} could not join: {mine[-1].outcome} {mine[-1].message}"


def nobody_meets_a_fault_inside(trial: ConformanceRun) -> Iterator[str]:
    """Inside the host, whatever anybody does at any time is done or refused, never a fault."""
    known = any(True for _ in questions_are_answered_inside(trial))
    yield from _faults(trial.inside.game, known=known)


def nobody_meets_a_fault_served(trial: ConformanceRun) -> Iterator[str]:
    """As a web service, whatever anybody does at any time is done or refused, never a fault."""
    known = any(True for _ in questions_are_answered_served(trial))
    yield from _faults(trial.served.game, known=known)


def room_can_be_completed(trial: ConformanceRun) -> Iterator[str]:
    """The room can be completed, and nothing in it is stuck."""
    for run in (trial.inside, trial.served):
        game = _game(run)
        if not game.completed:
            last = next(each for each in game.tried if each.what == "completing the room")
            yield f"The room could not be completed: {last.outcome} {last.message}"
        for name in game.stuck:
            yield f"The window {name!r} is still being tallied long after its end."
        for each in dict.fromkeys(game.refused_effects):
            yield f"The host cannot do what the app wants of it. {each}"


def log_adds_up(trial: ConformanceRun) -> Iterator[str]:
    """The room's log alone gives the room as it is."""
    for run in (trial.inside, trial.served):
        yield from _game(run).log_problems


def _game(run: TransportRun) -> Simulation:
    if run.game.settings is None:
        raise NothingToTry("no room could be started")
    return run.game


def _faults(game: Simulation, *, known: bool) -> Iterator[str]:
    """Yield faults, except the app's own failures that other checks report."""
    told = dict.fromkeys(
        f"{each.what}: {each.outcome} {each.message}"
        for each in game.faults
        if not (known and each.outcome.startswith("APP_")) and each.outcome != "APP_TIMEOUT"
    )
    yield from list(told)[:MOST]


CHECKS = (
    room_can_be_started,
    people_can_join,
    nobody_meets_a_fault_inside,
    nobody_meets_a_fault_served,
    room_can_be_completed,
    log_adds_up,
)
