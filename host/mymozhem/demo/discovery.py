"""Which demos the installed packages bring, found as apps are: by entry points."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from importlib.metadata import entry_points

from mymozhem.contract.demo import GROUP, DemoFailed, Evening, SampleRoom

Play = Callable[[Evening], Awaitable[None]]


@dataclass(frozen=True)
class Demo:
    """What an app shows of itself; `play` is None where it has no evening to play."""

    app_id: str
    samples: tuple[SampleRoom, ...]
    play: Play | None


def find_demos(app_ids: Collection[str]) -> tuple[Demo, ...]:
    """Import the demos of the named apps, and of no other; by app id.

    DemoFailed for one that cannot be imported: this is for people who are trying things out, and
    they want to know.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return tuple(_load(point.name, point.load) for point in points if point.name in app_ids)


def _load(app_id: str, load: Callable[[], object]) -> Demo:
    try:
        module = load()
    except Exception as error:  # whatever a package does when it is imported
        raise DemoFailed(f"The demo of {app_id} cannot be imported: {error!r}") from error
    return Demo(app_id, getattr(module, "SAMPLES", ()), getattr(module, "play", None))
