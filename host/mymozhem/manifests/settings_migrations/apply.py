"""Migrate settings from one version of an app to another by the steps of its manifests: pure.

Nothing here validates or completes the result: the target manifest does that.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import semver

from mymozhem.contract import JsonObject
from mymozhem.manifests.strict_json import StrictJsonError, from_python

from .draft import MAX_BYTES, Draft, Unfit
from .operations import apply_step
from .steps import Copy, Default, Map, Migration, Move, Remove, Rename, Replacement, Set, Step

if TYPE_CHECKING:
    from mymozhem.manifests.model import Manifest

__all__ = [
    "Copy",
    "Default",
    "Map",
    "Migration",
    "MigrationFailed",
    "Move",
    "Remove",
    "Rename",
    "Replacement",
    "Set",
    "Step",
    "apply_steps",
    "down",
    "route",
    "route_down",
    "up",
]


class MigrationFailed(ValueError):
    """Steps cannot be applied to these settings.

    `pointer` is the place in the settings, `step` the number of the step, from 0, in the migration
    to `to`. They are None if they are not known, and if the settings are invalid before the first
    step or after the last. Codes: TARGET_IN_LIST, TARGET_IN_SCALAR, TOO_MUCH_WORK, and those of
    `strict_json`, such as TOO_LARGE.
    """

    def __init__(
        self,
        code: str,
        pointer: str,
        message: str,
        *,
        step: int | None = None,
        to: str | None = None,
    ) -> None:
        self.code = code
        self.pointer = pointer
        self.message = message
        self.step = step
        self.to = to
        leading = "" if to is None else f"to {to}, "
        what = "settings" if step is None else f"step {step}"
        super().__init__(f"{leading}{what}, at {pointer or '/'}: {message}")


def route(
    source: str, target: "Manifest", between: Iterable["Manifest"] = ()
) -> tuple[Migration, ...] | None:
    """Return the migrations that lead from a version up to a manifest's, in order.

    From each version on the way, it takes the entry that leads furthest without passing the target:
    an entry of the target's manifest, otherwise one of `between`. Those are the published manifests
    of versions between the two (any others are skipped), the newest first. If two entries lead
    equally far, the first one is taken. The route ends at a version where no entry starts, which
    may be below the target: from there the schema decides. So () means that nothing is declared, or
    that the versions are the same. None if the target is older than the source: see `route_down`.
    """
    start, end = _version(source), _version(target.version)
    if end < start:
        return None
    passed = (each for each in between if start < _version(each.version) < end)
    newest = sorted(passed, key=lambda each: _version(each.version), reverse=True)
    books = [target.migrations, tuple(entry for each in newest for entry in each.migrations)]
    found: list[Migration] = []
    here = start
    while (entry := _furthest(books, here, end)) is not None:
        found.append(entry)
        here = _version(entry.to)
    return tuple(found)


def route_down(
    current: "Manifest", target_version: str, between: Iterable["Manifest"] = ()
) -> tuple[Migration, ...]:
    """Return the migrations that lead from a manifest back to an older version, in order.

    They are those that led up, in reverse. () if nothing is declared, or if the version is not
    older.
    """
    return tuple(reversed(route(target_version, current, between) or ()))


def up(settings: JsonObject, route: Iterable[Migration]) -> JsonObject:
    """Return settings after the steps of a route; `MigrationFailed` if they cannot be applied."""
    return _applied(settings, [(entry.to, entry.steps) for entry in route])


def down(settings: JsonObject, route: Iterable[Migration]) -> JsonObject:
    """Return settings after the `down` steps of a route from `route_down`.

    An entry without `down` steps changes nothing. `MigrationFailed` if steps cannot be applied.
    """
    return _applied(settings, [(entry.to, entry.down or ()) for entry in route])


def apply_steps(settings: JsonObject, steps: Sequence[Step]) -> JsonObject:
    """Return new settings: these settings with the steps applied one after the other.

    The given settings stay unchanged. A step whose source is missing does nothing.
    `MigrationFailed` if a step would put a value into a list or a scalar, if the settings are at
    any time larger than a room may hold (256 KiB), if the steps would take seconds, or if the
    settings are no JSON.
    """
    return _applied(settings, [(None, steps)])


def _applied(
    settings: JsonObject, entries: Sequence[tuple[str | None, Sequence[Step]]]
) -> JsonObject:
    draft = Draft(_strict(settings))
    for to, steps in entries:
        for position, step in enumerate(steps):
            try:
                apply_step(step, draft)
            except Unfit as error:
                raise MigrationFailed(
                    error.code, error.pointer, error.message, step=position, to=to
                ) from error
    return _strict(draft.settings)


def _strict(settings: JsonObject) -> JsonObject:
    """Return a copy of settings that a room may have."""
    try:
        copy = from_python(settings, max_bytes=MAX_BYTES)
    except StrictJsonError as error:
        raise MigrationFailed(error.code, error.pointer, error.message) from error
    if not isinstance(copy, dict):
        raise MigrationFailed("NOT_JSON", "", "settings are an object")
    return copy


def _furthest(
    books: Sequence[Sequence[Migration]], here: semver.Version, end: semver.Version
) -> Migration | None:
    for entries in books:
        fit = [e for e in entries if here < _version(e.to) <= end and str(here) in e.starts]
        if fit:
            return max(fit, key=lambda entry: _version(entry.to))
    return None


def _version(text: str) -> semver.Version:
    return semver.Version.parse(text)
