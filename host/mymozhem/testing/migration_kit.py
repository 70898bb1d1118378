"""The kit for migrations of apps: a class of tests for pytest, and a report for programs."""

import json
import re
import unittest
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.rooms.upgrades.migrate import MigratedRoom

from .app_lookup import App, find_app
from .conformance_kit import Finding, NotConforming
from .conformance_run import NothingToTry
from .diff import differences
from .older_manifest import Older, older_manifest
from .round_trip import MANY, MigrationRoundTrip, Rooms, RoundTrip

_MOST = 10
_LONGEST = 600
_POSITION = re.compile(r"/[0-9]+(?=/|$)")

Look = Callable[[MigrationRoundTrip], Iterable[str]]


def migrations(
    app: object,
    *,
    since: Sequence[Older],
    settings: Sequence[JsonObject] = (),
    states: Sequence[JsonObject] | None = None,
    most: int = MANY,
) -> type:
    """Return a class of tests of how rooms come to an app's version; name it `Test…`.

    `since` are the older versions: manifests as objects, or paths of manifests or wheels. Settings
    and states of rooms are made by their schemas, so many of each; `settings` are more to be tried,
    and `states` stand in for all that would be made. What a round trip loses is printed, as is what
    steps never do: `pytest -rP` shows it. Raises `NotAnApp` and `NotOlder`.
    """
    rooms = Rooms(settings, states, most)
    tests: dict[str, object] = {}
    for passage in _passages(find_app(app), since, rooms):
        tests |= {f"test_{name}": _test(passage, name, look) for name, look in _looks(passage)}
    return type("Migrations", (), {"__doc__": f"How rooms come to {app!r}.", **tests})


def migration_report(
    app: object,
    *,
    since: Sequence[Older],
    settings: Sequence[JsonObject] = (),
    states: Sequence[JsonObject] | None = None,
    most: int = MANY,
) -> Iterator[Finding]:
    """Yield the findings about each older version, one by one; see `migrations`."""
    rooms = Rooms(settings, states, most)
    for passage in _passages(find_app(app), since, rooms):
        for name, look in _looks(passage):
            yield _find(passage, name, look)


def rooms_come_up(passage: MigrationRoundTrip) -> Iterator[str]:
    """Settings and states of the older version fit the newest once they are carried there."""
    trips = passage.trips
    if not trips:
        yield "no settings, or no state, could be made that fit: give `settings`, or `states`"
    lost = [trip for trip in trips if not trip.arrived]
    yield from _counted([trip.up for trip in lost], len(trips))
    for trip in lost[:1]:
        yield f"one of them had the settings {_short(trip.had.settings)}"
        yield f"and the state {_short(dict(trip.had.state))}"


def rooms_come_back(passage: MigrationRoundTrip) -> Iterator[str]:
    """Settings and states fit the older version again once they are carried back there."""
    if not passage.has_way_back:
        raise NothingToTry("there are no steps `down` on this way, and no settingsMigration")
    trips = [trip for trip in _tried(passage) if trip.back is not None and not trip.refused]
    if not trips:
        raise NothingToTry("the app refuses to migrate rooms back, or none was migrated")
    lost = [trip.back for trip in trips if trip.back is not None and not trip.returned]
    yield from _counted(lost, len(trips))


def round_trips_lose_nothing(passage: MigrationRoundTrip) -> Iterator[str]:
    """What was there in the older version is there again after a round trip."""
    returned = [(trip.had, trip.back) for trip in _tried(passage) if trip.back and trip.returned]
    if not returned:
        raise NothingToTry("nothing carries these rooms back")
    parts: dict[str, list[tuple[JsonValue, JsonValue]]] = {
        "setting": [(had.settings, back.settings) for had, back in returned],
        "state": [({**had.state}, {**back.state}) for had, back in returned],
    }
    for what, pairs in parts.items():
        for found in differences(pairs):
            yield f"{what} {found.text} ({found.count} of {len(returned)} rooms)"


def every_step_does_something(passage: MigrationRoundTrip) -> Iterator[str]:
    """Every step changes the settings of some room."""
    _tried(passage)
    if not passage.way.steps:
        raise NothingToTry("no entry of `migrations` starts at this version")
    yield from passage.idle_steps


REMARKS = frozenset({round_trips_lose_nothing, every_step_does_something})


def _passages(app: App, since: Sequence[Older], rooms: Rooms) -> Iterator[MigrationRoundTrip]:
    older = [older_manifest(each, app.manifest, app_id=app.app_id) for each in since]
    for manifest in older:
        yield MigrationRoundTrip(app, manifest, tuple(older), rooms)


def _looks(passage: MigrationRoundTrip) -> Iterator[tuple[str, Look]]:
    version = "".join(letter if letter.isalnum() else "_" for letter in passage.older.version)
    yield f"rooms_come_up_from_{version}", rooms_come_up
    yield f"rooms_come_back_to_{version}", rooms_come_back
    yield f"round_trips_from_{version}", round_trips_lose_nothing
    yield f"steps_from_{version}", every_step_does_something


def _find(passage: MigrationRoundTrip, name: str, look: Look) -> Finding:
    sentence = (look.__doc__ or "").split("\n", 1)[0]
    versions = f"{passage.older.version} → {passage.app.manifest.version}"
    told = f"{versions}: {sentence}"
    try:
        return Finding(name, told, tuple(look(passage)), is_remark=look in REMARKS)
    except NothingToTry as reason:
        return Finding(name, told, skipped=str(reason))


def _test(passage: MigrationRoundTrip, name: str, look: Look) -> Callable[[object], None]:
    def test(_: object) -> None:
        __tracebackhide__ = True
        finding = _find(passage, name, look)
        if finding.skipped is not None:
            raise unittest.SkipTest(finding.skipped)
        if not finding.passed:
            raise NotConforming(finding.text)
        if finding.problems:
            print(finding.text)  # noqa: T201  for `pytest -rP`

    test.__name__ = f"test_{name}"
    test.__doc__ = look.__doc__
    return test


def _tried(passage: MigrationRoundTrip) -> list[RoundTrip]:
    if not passage.trips:
        raise NothingToTry("there are no rooms to carry")
    return passage.trips


def _counted(lost: Sequence[MigratedRoom], total: int) -> Iterator[str]:
    """Yield the problems of rooms that do not fit, the most frequent first."""
    counts = Counter(sentence for each in lost for sentence in dict.fromkeys(_faults(each)))
    for sentence, count in counts.most_common(_MOST):
        yield f"{sentence} ({count} of {total} rooms)"


def _faults(carried: MigratedRoom) -> Iterator[str]:
    for field in carried.fields:
        yield f"setting {_POSITION.sub('/*', field.pointer) or '/'}: {field.problem}"
    yield from carried.reasons


def _short(value: JsonObject) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
