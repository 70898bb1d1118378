"""The checks of `mymozhem check`: the code against its expectations, without a server."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple


class Check(NamedTuple):
    """The result of one check; `problem` says what is wrong, None if nothing is."""

    name: str
    problem: str | None


Section = Callable[[], Iterator[Check]]
Tell = Callable[[str, Check], None]


class Result(NamedTuple):
    """The number of checks, and the first that failed, with its section; None if none failed."""

    made: int
    failed: tuple[str, Check] | None


def run_checks(sections: Mapping[str, Section], tell: Tell) -> Result:
    """Make the checks of every section in order until one fails; call `tell` with each."""
    count = 0
    for name, section in sections.items():
        for check in section():
            count += 1
            tell(name, check)
            if check.problem is not None:
                return Result(count, (name, check))
    return Result(count, None)


def same(name: str, found: object, expected: object) -> Check:
    """Return a check that the code has what is expected."""
    if found == expected:
        return Check(name, None)
    return Check(name, f"the code has {found!r}, the expectation says {expected!r}")


def holds(name: str, condition: object, otherwise: str) -> Check:
    """Return a check of a condition; `otherwise` is the problem if it is false."""
    return Check(name, None if condition else otherwise)
