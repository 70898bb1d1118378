"""What `mymozhem check` looks at, with nothing running: code against what is written about it."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple


class Check(NamedTuple):
    """One thing that was looked at; `problem` says what is wrong with it, None when nothing is."""

    name: str
    problem: str | None


Section = Callable[[], Iterator[Check]]
Tell = Callable[[str, Check], None]


class Result(NamedTuple):
    """How many checks were made, and the first that failed, with its section; None if none did."""

    made: int
    failed: tuple[str, Check] | None


def run_checks(sections: Mapping[str, Section], tell: Tell) -> Result:
    """Make the checks of every section in order until one fails; `tell` hears of each."""
    count = 0
    for name, section in sections.items():
        for check in section():
            count += 1
            tell(name, check)
            if check.problem is not None:
                return Result(count, (name, check))
    return Result(count, None)


def same(name: str, found: object, expected: object) -> Check:
    """Compare what the code has with what is written."""
    if found == expected:
        return Check(name, None)
    return Check(name, f"the code has {found!r}, the expectation says {expected!r}")


def holds(name: str, condition: object, otherwise: str) -> Check:
    """Check a condition, with the sentence for when it does not hold."""
    return Check(name, None if condition else otherwise)
