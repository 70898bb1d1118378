"""Finds the demos of installed packages by their entry points."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from importlib.metadata import entry_points

from mymozhem.contract.demo import GROUP, DemoFailed, Evening, SampleRoom

Play = Callable[[Evening], Awaitable[None]]


@dataclass(frozen=True)
class Demo:
    """The demo of an app; `play` is None if it has no scripted event."""

    app_id: str
    samples: tuple[SampleRoom, ...]
    play: Play | None


def find_demos(app_ids: Collection[str]) -> tuple[Demo, ...]:
    """Import the demos of the named apps, and of no other; sorted by app id.

    Raises DemoFailed if one cannot be imported, because users of a demo need to know.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return tuple(_load(point.name, point.load) for point in points if point.name in app_ids)


def _load(app_id: str, load: Callable[[], object]) -> Demo:
    try:
        module = load()
    except Exception as error:  # importing a package can raise anything
        raise DemoFailed(f"The demo of {app_id} cannot be imported: {error!r}") from error
    return Demo(app_id, getattr(module, "SAMPLES", ()), getattr(module, "play", None))
