"""Migrate settings and state to another version: automatically, by steps, by the app, by data.

Pure. The means are used in this order:

1. the steps that manifests declare between the two versions (`down` towards a lower one);
2. the app's `migrate_settings`, if the newer of the two versions implements it: upwards after a
   change that may not fit (a major one), and whenever something does not fit after the steps.
   It receives the result of the steps (what the room has, if it speaks 1.0 of the contract
   alone, or if the steps failed), and its result replaces it;
3. a merge patch of the organizer, applied on top; it also replaces steps or an app that failed;
4. the defaults of the target version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import orjson
from pydantic import JsonValue

from mymozhem.contract import JsonObject, Level, SettingsMigrationResult
from mymozhem.contract.versions import as_version
from mymozhem.db.json_text import dump
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.referee import Bump, Change, Consenter, Diff, compare
from mymozhem.manifests.referee.json_values import same
from mymozhem.manifests.settings import apply_defaults, merge_patch
from mymozhem.manifests.settings_migrations.apply import (
    MigrationFailed,
    down,
    route,
    route_down,
    up,
)
from mymozhem.manifests.settings_migrations.steps import Migration
from mymozhem.manifests.settings_migrations.visibility import shown_to_more
from mymozhem.manifests.validation_errors import Told
from mymozhem.rooms.app_settings.update import MAX_SETTINGS_BYTES
from mymozhem.rooms.app_state import MAX_STATE_BYTES

from .form import FormField, form_fields

State = Mapping[str, JsonObject]

MIGRATION = "settingsMigration"

#: from this version of the contract on, the app receives what the steps made
STEPS_COME_FIRST = as_version("1.1")


class Strategy(StrEnum):
    """How a room is migrated to another version."""

    AUTOMATIC = "automatic"  #: everything fits, completed by defaults
    ASSISTED = "assisted"  #: steps, the app, or data of the organizer's make it fit
    MANUAL = "manual"  #: somebody has to say what is missing, or it cannot be done


@dataclass(frozen=True)
class MigrationPath:
    """The path from one version of an app to another; the same for every room.

    `shown` are values that the steps move to where more people see them.
    """

    source: Manifest
    target: Manifest
    steps: tuple[Migration, ...]
    diff: Diff
    shown: tuple[Change, ...] = ()

    @property
    def is_down(self) -> bool:
        """Return whether the path leads to a lower version."""
        return as_version(self.target.version) < as_version(self.source.version)

    @property
    def newer(self) -> Manifest:
        """Return the newer of the two versions, which knows the other."""
        return self.source if self.is_down else self.target

    @property
    def has_hook(self) -> bool:
        """Return whether the app can be called to migrate settings and state."""
        return MIGRATION in self.newer.capabilities


@dataclass(frozen=True)
class MigratedRoom:
    """Settings and state as they would be in another version.

    `fields` are missing or invalid settings, `reasons` are sentences about everything else that
    does not fit; both are empty unless the strategy is MANUAL.
    """

    strategy: Strategy
    settings: JsonObject
    state: State
    fields: tuple[FormField, ...] = ()
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CurrentRoom:
    """The current settings and state of a room."""

    settings: JsonObject
    state: State


@dataclass(frozen=True)
class AppAnswer:
    """The result of `migrate_settings`, or why there is none."""

    result: SettingsMigrationResult | None = None
    why_not: str | None = None


def migration_path(
    source: Manifest, target: Manifest, published: tuple[Manifest, ...]
) -> MigrationPath:
    """Return the path between two versions; `published` is the app's whole history."""
    downward = as_version(target.version) < as_version(source.version)
    steps = (
        route_down(source, target.version, published)
        if downward
        else route(source.version, target, published)
    )
    shown = _shown(source, target, steps or (), is_down=downward)
    return MigrationPath(source, target, steps or (), compare(source, target), shown)


def migrate(
    way: MigrationPath,
    had: CurrentRoom,
    *,
    said: AppAnswer | None = None,
    data: JsonObject | None = None,
) -> MigratedRoom:
    """Return the migrated settings and state; `said` is None before the app was called."""
    plain = apply_defaults(way.target.settings_outline, had.settings)
    settings, reasons = stepped(way, had.settings)
    state, notes = had.state, tuple[str, ...]()
    if said is not None and said.result is not None:
        settings, reasons = said.result.settings, ()
        state, notes = merged_state(had.state, said.result), said.result.notes
    elif said is not None and said.why_not is not None:
        reasons = (*reasons, said.why_not)
    if data is not None:
        settings, reasons = _object(merge_patch(settings, data)), ()
    found = fitted(way.target, settings, state)
    if reasons:
        found = replace(found, reasons=(*reasons, *found.reasons))
    if found.fields or found.reasons:
        return replace(found, strategy=Strategy.MANUAL, notes=notes)
    alike = same(found.settings, plain) and same(dict(state), dict(had.state))
    strategy = Strategy.AUTOMATIC if alike else Strategy.ASSISTED
    return replace(found, strategy=strategy, notes=notes)


def fitted(target: Manifest, settings: JsonObject, state: State) -> MigratedRoom:
    """Return settings completed by defaults, and everything that does not fit.

    The strategy is AUTOMATIC if everything fits, else MANUAL.
    """
    complete = apply_defaults(target.settings_outline, settings)
    problems = target.settings_validator.errors(complete)
    reasons = [*_too_large(complete), *state_reasons(target, state)]
    fields = form_fields(target.settings_outline, complete, problems)
    strategy = Strategy.MANUAL if fields or reasons else Strategy.AUTOMATIC
    return MigratedRoom(strategy, _object(complete), state, fields, tuple(reasons))


def must_ask(way: MigrationPath, had: CurrentRoom) -> bool:
    """Return whether the app must be called to migrate settings and state."""
    if not way.has_hook:
        return False
    major = way.diff.required is Bump.MAJOR and not way.is_down
    return major or migrate(way, had).strategy is Strategy.MANUAL


def given_to_app(way: MigrationPath, had: CurrentRoom) -> JsonObject:
    """Return the settings that the app receives: what the steps make of those of the room.

    An app that speaks 1.0 of the contract alone receives those of the room.
    """
    if as_version(way.newer.speaks) < STEPS_COME_FIRST:
        return had.settings
    return stepped(way, had.settings)[0]


def with_problems(
    carried: MigratedRoom, target: Manifest, problems: Iterable[Told]
) -> MigratedRoom:
    """Add the problems that the app found in the settings; the strategy is then MANUAL."""
    fields = form_fields(target.settings_outline, carried.settings, problems)
    return replace(carried, strategy=Strategy.MANUAL, fields=(*carried.fields, *fields))


def merged_state(state: State, result: SettingsMigrationResult) -> State:
    """Return the state with the parts that a result names; other parts stay."""
    given = result.state
    parts = {
        Level.PUBLIC: given.public,
        Level.ORGANIZER: given.organizer,
        Level.PRIVATE: given.private,
    }
    return {**state, **{str(level): part for level, part in parts.items() if part is not None}}


def state_reasons(target: Manifest, state: State) -> tuple[str, ...]:
    """Return sentences on why a state does not fit a version; empty if it fits."""
    size = len(orjson.dumps(dict(state)))
    if size > MAX_STATE_BYTES:
        return (f"The state would take {size} bytes; at most {MAX_STATE_BYTES} are kept.",)
    problems = target.state_validator.errors({**state})
    if not problems:
        return ()
    first = problems[0]
    place = first.pointer or "/"
    sentence = (
        f"The state of the room does not fit {target.version}, and nothing carries it over: "
        f"at {place}, {first.message}."
    )
    return (sentence,)


def stepped(way: MigrationPath, settings: JsonObject) -> tuple[JsonObject, tuple[str, ...]]:
    """Return settings after the steps of a path; unchanged, with a reason, without a path."""
    carry_over = down if way.is_down else up
    try:
        return carry_over(settings, way.steps), ()
    except MigrationFailed as error:
        return settings, (f"The steps of the manifest cannot be done: {error}.",)


def _shown(
    source: Manifest, target: Manifest, way: tuple[Migration, ...], *, is_down: bool
) -> tuple[Change, ...]:
    steps = tuple(step for each in way for step in ((each.down or ()) if is_down else each.steps))
    return tuple(
        Change(
            "/migrations",
            "VISIBILITY_LOOSER",
            Bump.MAJOR,
            known=bool(before),
            message=(
                f"Steps copy the setting {before} to {after}, where more people see it"
                if before
                else "Steps may copy settings to places where more people see them"
            ),
            consent=Consenter.ORGANIZER,
        )
        for before, after in shown_to_more(steps, source.settings_outline, target.settings_outline)
    )


def _too_large(settings: JsonValue) -> tuple[str, ...]:
    size = len(dump(settings).encode())
    if size <= MAX_SETTINGS_BYTES:
        return ()
    return (f"The settings would take {size} bytes; at most {MAX_SETTINGS_BYTES} are kept.",)


def _object(settings: JsonValue) -> JsonObject:
    if not isinstance(settings, dict):
        message = "settings are an object"
        raise TypeError(message)
    return settings
