"""Whether everything that the app declares was reached; what was not is not known to work."""

from collections.abc import Iterator

from mymozhem.testing.conformance_run import ConformanceRun, NothingToTry


def everything_is_reached(trial: ConformanceRun) -> Iterator[str]:
    """Every action was done, and every hook, timer, change, event and effect occurred."""
    if trial.inside.game.settings is None:
        raise NothingToTry("no room could be started")
    yield from trial.coverage.gaps()


CHECKS = (everything_is_reached,)
