"""Migrates rooms of an older version to the newest one and back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import cycle, islice

from pydantic import JsonValue

from mymozhem.contract import JsonObject, Level, RoomData, SettingsMigrationRequest
from mymozhem.contract.canonical_json import canonical_json
from mymozhem.contract.hooks import MIGRATE_SETTINGS
from mymozhem.contract.payloads import SettingsMigrationResult
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import complete
from mymozhem.manifests.settings_migrations.apply import MigrationFailed, apply_steps
from mymozhem.rooms.upgrades.migrate import (
    MIGRATION,
    AppAnswer,
    CurrentRoom,
    MigratedRoom,
    MigrationPath,
    Strategy,
    given_to_app,
    migrate,
    migration_path,
    must_ask,
)

from .app_lookup import App
from .conformance_run import moment, run_apart
from .harness import HostHarness
from .harness_setup import open_host
from .invoke import Invocation, invoke_all
from .random_values import various
from .sample_calls import SampleCall, context_of

#: default number of rooms that are migrated
MANY = 100


@dataclass(frozen=True)
class Rooms:
    """What rooms are made of: an author's own settings first, an author's own states alone.

    States are of three parts. What a schema cannot say of them, such as that two lists belong
    together, a made one breaks; where the app minds, its author gives some that were real.
    """

    settings: Sequence[JsonObject] = ()
    states: Sequence[JsonObject] | None = None
    most: int = MANY


@dataclass(frozen=True)
class RoundTrip:
    """A room in the older version, in the newest, and back; None if it was not migrated.

    `refused` says that the app refused to migrate it back.
    """

    had: CurrentRoom
    up: MigratedRoom
    back: MigratedRoom | None = None
    refused: bool = False

    @property
    def arrived(self) -> bool:
        """Return whether it fits the newest version."""
        return self.up.strategy is not Strategy.MANUAL

    @property
    def returned(self) -> bool:
        """Return whether it fits the older version again."""
        return self.back is not None and self.back.strategy is not Strategy.MANUAL


@dataclass(frozen=True, eq=False)
class MigrationRoundTrip:
    """The migration path from one older version of an app to its newest, and all round trips.

    It uses the host's functions: rooms are migrated like those of organizers, and the app is called
    through the host's dispatcher.
    """

    app: App
    older: Manifest
    published: tuple[Manifest, ...] = ()
    rooms: Rooms = field(default_factory=Rooms)

    @cached_property
    def way(self) -> MigrationPath:
        """The path up."""
        return migration_path(self.older, self.app.manifest, self.published)

    @cached_property
    def back(self) -> MigrationPath:
        """The path down."""
        return migration_path(self.app.manifest, self.older, self.published)

    @property
    def has_steps_back(self) -> bool:
        """Return whether any entry of the path has steps back for settings."""
        return any(entry.down is not None for entry in self.back.steps)

    @property
    def has_way_back(self) -> bool:
        """Return whether steps or the app migrate back."""
        return self.has_steps_back or self.may_ask

    @property
    def may_ask(self) -> bool:
        """Return whether the app migrates settings and states itself."""
        known = MIGRATE_SETTINGS.name in self.app.functions
        return known and MIGRATION in self.app.manifest.capabilities

    @cached_property
    def trips(self) -> list[RoundTrip]:
        """All round trips; empty if no settings or no state could be created."""
        return run_apart(self._travelled())

    @cached_property
    def idle_steps(self) -> list[str]:
        """The steps that changed none of the settings, such as `to 2.0.0, step 1: remove /a`."""
        found = []
        many = [trip.had.settings for trip in self.trips]
        for entry in self.way.steps:
            for number, step in enumerate(entry.steps):
                after = [_stepped(settings, [step]) for settings in many]
                if many and all(map(_same, many, after)):
                    said = json.dumps(step.model_dump(by_alias=True, exclude_unset=True))
                    found.append(f"to {entry.to}, step {number}: {said}")
                many = after
        return found

    async def _travelled(self) -> list[RoundTrip]:
        hads = self._hads()
        async with open_host({self.app.app_id: self.app.plugin}, clock=moment()) as host:
            ups = [each for each, _ in await self._carried(host, self.way, hads)]
            trips = [RoundTrip(had, up) for had, up in zip(hads, ups, strict=True)]
            there = [trip for trip in trips if trip.arrived]
            now = [CurrentRoom(trip.up.settings, trip.up.state) for trip in there]
            backs = zip(there, await self._carried(host, self.back, now), strict=True)
            returned = {id(trip): replace(trip, back=it, refused=no) for trip, (it, no) in backs}
        return [returned.get(id(trip), trip) for trip in trips]

    async def _carried(
        self, host: HostHarness, way: MigrationPath, hads: Sequence[CurrentRoom]
    ) -> list[tuple[MigratedRoom, bool]]:
        """Return each migrated room, and whether the app refused to migrate it."""
        asking = [had for had in hads if self.may_ask and must_ask(way, had)]
        questions = {id(had): _question(self.app, way, had) for had in asking}
        asked = await invoke_all(host, self.app, list(questions.values()))
        answers = {id(each.question): each for each in asked}
        found = []
        for had in hads:
            question = questions.get(id(had))
            answer = answers.get(id(question))
            said = None if question is None else _said(answer)
            found.append((migrate(way, had, said=said), answer is not None and answer.refused))
        return found

    def _hads(self) -> list[CurrentRoom]:
        """Return complete settings with states; as many as the longer of the two lists."""
        settings, states = self._settings(), self._states()
        if not settings or not states:
            return []
        count = max(len(settings), len(states))
        pairs = zip(cycle(settings), cycle(states), strict=False)
        return [CurrentRoom(one, other) for one, other in islice(pairs, count)]

    def _settings(self) -> list[JsonObject]:
        older, schema = self.older, self.older.settings
        # Some are the same once they are completed, so more are made than are wanted.
        made = various(schema, most=2 * self.rooms.most) if schema is not None else []
        given: list[JsonValue] = [*self.rooms.settings, {}, *made]
        whole = (complete(older.settings_outline, each) for each in given)
        fits = older.settings_validator.is_valid
        found = _different([each for each in whole if fits(each)])
        return found[: max(self.rooms.most, len(self.rooms.settings))]

    def _states(self) -> list[dict[str, JsonObject]]:
        if self.rooms.states is not None:
            return [_parts(each) for each in self.rooms.states]
        schema = self.older.state
        made = various(schema, most=self.rooms.most) if schema is not None else []
        whole = [_parts(each) for each in [{}, *made] if isinstance(each, dict)]
        known = {canonical_json(each): each for each in whole}
        fits = self.older.state_validator.is_valid
        return [each for each in known.values() if fits({**each})]


def _question(app: App, way: MigrationPath, had: CurrentRoom) -> SampleCall:
    context, state = context_of(app, had.settings), RoomData.model_validate(dict(had.state))
    if context.room is not None:
        room = context.room.model_copy(update={"state": state})
        context = context.model_copy(update={"room": room})
    request = SettingsMigrationRequest(
        settings=given_to_app(way, had),
        state=state,
        from_version=way.source.version,
        to_version=way.target.version,
    )
    return SampleCall("migrate_settings", MIGRATE_SETTINGS, context, request)


def _said(asked: Invocation | None) -> AppAnswer:
    if asked is None:
        return AppAnswer(why_not="migrate_settings did not answer in time before.")
    if asked.failure is not None:
        return AppAnswer(why_not=f"migrate_settings failed: {asked.message}")
    if asked.refused:
        told = asked.answer.get("message") if isinstance(asked.answer, dict) else None
        return AppAnswer(why_not=f"migrate_settings refused: {told}")
    return AppAnswer(SettingsMigrationResult.model_validate(asked.answer))


def _parts(state: JsonObject) -> dict[str, JsonObject]:
    """Return the three parts of a state; those that are left out are empty."""
    parts = ((str(level), state.get(level)) for level in Level)
    return {level: part if isinstance(part, dict) else {} for level, part in parts}


def _stepped(settings: JsonObject, steps: Sequence[object]) -> JsonObject:
    try:
        return apply_steps(settings, steps)  # type: ignore[arg-type]  # those of an entry
    except MigrationFailed:
        return settings


def _same(one: JsonObject, other: JsonObject) -> bool:
    return canonical_json(one) == canonical_json(other)


def _different(values: Sequence[JsonValue]) -> list[JsonObject]:
    known = {canonical_json(each): each for each in values if isinstance(each, dict)}
    return list(known.values())
