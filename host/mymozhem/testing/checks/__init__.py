"""The checks of the conformance kit: each reads a run and yields a sentence for each problem."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mymozhem.testing.conformance_run import ConformanceRun

from . import answers, contract_versions, endpoint, games, manifest, reach, rooms


@dataclass(frozen=True)
class Check:
    """A check: its name, its rule, and its function."""

    name: str
    sentence: str
    problems: Callable[[ConformanceRun], Iterator[str]]


def _checks() -> Iterator[Check]:
    for module in (manifest, answers, contract_versions, endpoint, rooms, games, reach):
        for look in module.CHECKS:
            sentence = (look.__doc__ or "").split("\n", 1)[0]
            yield Check(look.__name__, sentence, look)


CHECKS: tuple[Check, ...] = tuple(_checks())
