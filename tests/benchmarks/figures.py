"""What a benchmark reports, and how to time two things fairly on a machine that has other work."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module

Act = Callable[[], object]
Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Figure:
    """One row of the table; `ratio` is what the target is about, where there is one."""

    what: str
    bare: str
    ours: str
    ratio: str
    target: str
    met: bool


def measured(name: str) -> list[Figure]:
    """Return what a benchmark measures, by the name of its module."""
    return list(import_module(f"{__package__}.bench_{name}").measure())


def at_most(what: str, target: float, *, bare: float, ours: float, unit: str) -> Figure:
    """Return a row about times: ours may be so many times the bare one."""
    ratio = ours / bare
    return Figure(
        what,
        said(bare, unit),
        said(ours, unit),
        f"{ratio:.2f} ×",
        f"≤ {target:g} ×",
        ratio <= target,
    )


def at_least(what: str, target: float, *, bare: float, ours: float, unit: str) -> Figure:
    """Return a row about rates: ours must reach that part of the bare one."""
    ratio = ours / bare
    met = ratio >= target
    return Figure(what, said(bare, unit), said(ours, unit), f"{ratio:.0%}", f"≥ {target:.0%}", met)


def bound(what: str, target: float, *, ours: float, unit: str) -> Figure:
    """Return a row about a figure that stands alone."""
    return Figure(what, "", said(ours, unit), "", f"≤ {said(target, unit)}", ours <= target)


def said(value: float, unit: str) -> str:
    """Return a figure with three digits that count, and its unit."""
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def seconds(act: Act) -> float:
    """Return how long something took."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def best(*acts: Act, rounds: int) -> tuple[float, ...]:
    """Return the least seconds of each; they take turns, since the machine has other work too."""
    spans = [tuple(seconds(act) for act in acts) for _ in range(rounds)]
    return tuple(min(span) for span in zip(*spans, strict=True))


async def best_of_calls(*asks: Ask, calls: int, rounds: int) -> tuple[float, ...]:
    """Return the least seconds that one call of each took, from rounds of so many, in turns."""
    spans = [tuple([await _calls(ask, calls) for ask in asks]) for _ in range(rounds)]
    return tuple(min(span) for span in zip(*spans, strict=True))


async def _calls(ask: Ask, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        await ask()
    return (time.perf_counter() - started) / calls
