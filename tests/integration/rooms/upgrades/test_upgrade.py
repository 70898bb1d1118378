"""A room moved to another version: by itself, by steps, by the app, by data, or not at all."""

import asyncio

import pytest
from structlog.testing import capture_logs

from mymozhem.audit.tables import AuditRow
from mymozhem.contract import Problem, Refuse, RoomStatus, SettingsValidationResult
from mymozhem.contract.canonical_json import digest
from mymozhem.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from mymozhem.manifests.model import Manifest
from mymozhem.rooms.core.revision import RoomChanged
from mymozhem.rooms.lifecycle.create import copy_room
from mymozhem.rooms.upgrades.migrate import (
    CurrentRoom,
    Strategy,
    given_to_app,
    migration_path,
)
from mymozhem.rooms.upgrades.plan import MigrationRequired
from mymozhem.rooms.upgrades.upgrade import ConsentRequired, UpgradeRequest, upgrade_room
from tests.support.apps.versioned_app import FIRST, VersionedApp, settings_schema
from tests.support.host import principal

OPTIONAL = settings_schema(
    **FIRST["properties"], colour={"type": "string", "default": "red", "x-visibility": "public"}
)
RENAMED = settings_schema(
    name={"type": "string", "default": "Evening"}, limit={"type": "integer", "default": 3}
)
RENAME = {
    "from": ">=1,<2",
    "to": "2.0.0",
    "steps": [{"op": "rename", "path": "/title", "to": "name"}],
    "down": [{"op": "rename", "path": "/name", "to": "title"}],
}
NEEDY = settings_schema(
    ("venue",),
    **FIRST["properties"],
    venue={"type": "string", "title": "Venue", "description": "Where it is.", "minLength": 2},
)
CARRIES = "settingsMigration"
COUNTING = {
    "type": "object",
    "properties": {"public": {"type": "object", "required": ["total"]}},
}


@pytest.fixture(autouse=True)
def quiet():
    with capture_logs():
        yield


# -------------------------------------------------------------------------------------- automatic


async def test_what_fits_is_moved_at_once_and_completed_by_defaults(versioned_host):
    room = await versioned_host.room({"limit": 7})
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))

    plan = await versioned_host.plan(room, "1.1.0")
    assert (plan.strategy, plan.allowed) == (Strategy.AUTOMATIC, True)
    assert plan.carried.settings == {"title": "Evening", "limit": 7, "colour": "red"}
    assert [change.bump for change in plan.diff.changes] == ["minor"]

    moved = await versioned_host.upgrade(room, "1.1.0")
    now = await versioned_host.now(room)
    assert moved.moved
    assert now.app_settings == plan.carried.settings
    assert now.app_manifest_version == "1.1.0"
    assert now.version == room.version + 1
    assert now.settings_version == room.settings_version + 1
    first, second = await versioned_host.locks(room)
    assert (now.lock_id, second.reason, second.digest) == (second.id, "upgrade", moved.lock)
    assert second.digest == digest(second.lock)
    manifest = versioned_host.host.services.catalog.manifest("shop", "1.1.0")
    assert second.lock["manifestDigest"] == manifest.digest
    assert second.before["settings"] == {"title": "Evening", "limit": 7}
    assert second.before["lockId"] == first.id


async def test_a_move_is_in_the_log_in_the_audit_trail_and_told_to_the_app(versioned_host):
    room = await versioned_host.room()
    app = await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    moved = await versioned_host.upgrade(room, "1.1.0")
    await versioned_host.work()

    [changed] = await versioned_host.host.events(room.id, "room:version_changed")
    assert changed.stream == "public"
    assert changed.payload == {
        "versionBefore": "1.0.0", "versionNow": "1.1.0", "how": "automatic", "lock": moved.lock,
    }  # fmt: skip
    [updated] = await versioned_host.host.events(room.id, "room:updated")
    assert updated.payload == {"fields": ["appSettings/colour"]}
    assert await versioned_host.host.count(AuditRow, action="room.upgrade", room_id=room.id) == 1
    [(context, _)] = app.was_asked("settings")
    assert context.app.version == "1.1.0"
    assert context.room.settings["colour"] == "red"
    assert (await versioned_host.replayed(room)).status is RoomStatus.DRAFT


async def test_the_same_version_changes_nothing(versioned_host):
    room = await versioned_host.room()
    before = await versioned_host.all_of(room)
    moved = await versioned_host.upgrade(room, "1.0.0")
    assert not moved.moved
    assert moved.lock == (await versioned_host.locks(room))[0].digest
    assert await versioned_host.all_of(room) == before


async def test_the_new_version_is_asked_whether_it_takes_the_settings(versioned_host):
    room = await versioned_host.room()
    app = await versioned_host.install(
        VersionedApp("1.1.0", OPTIONAL, capabilities=["settingsValidation"])
    )
    problem = Problem(pointer="/limit", message="Too few.")
    app.validate = lambda _, __: SettingsValidationResult(problems=(problem,))

    plan = await versioned_host.plan(room, "1.1.0")
    assert plan.strategy is Strategy.MANUAL
    [field] = plan.carried.fields
    assert (field.pointer, field.problem, field.type) == ("/limit", "Too few.", "integer")
    before = await versioned_host.all_of(room)
    with pytest.raises(MigrationRequired) as refused:
        await versioned_host.upgrade(room, "1.1.0")
    assert refused.value.details["fields"] == {"/limit": ["Too few."]}
    assert await versioned_host.all_of(room) == before

    app.validate = lambda _, request: SettingsValidationResult(
        problems=() if request.settings["limit"] > 5 else (problem,)
    )
    moved = await versioned_host.upgrade(room, "1.1.0", migration_data={"limit": 6})
    assert moved.plan.strategy is Strategy.ASSISTED
    context, request = app.was_asked("validate")[-1]
    assert request.purpose == "save"
    assert (context.app.version, context.room.settings["limit"]) == ("1.1.0", 6)
    assert context.lock == (await versioned_host.locks(room))[0].digest


async def test_a_version_that_refuses_is_not_taken(versioned_host):
    room = await versioned_host.room()
    app = await versioned_host.install(
        VersionedApp("1.1.0", OPTIONAL, capabilities=["settingsValidation"])
    )

    def refuse(*_):
        raise Refuse("NOT_NOW", "Come back later.")

    app.validate = refuse
    plan = await versioned_host.plan(room, "1.1.0")
    assert [(each.code, each.message) for each in plan.refusals] == [
        ("NOT_NOW", "Come back later.")
    ]
    with pytest.raises(Conflict) as refused:
        await versioned_host.upgrade(room, "1.1.0")
    assert refused.value.code == "NOT_NOW"
    assert (await versioned_host.now(room)).app_manifest_version == "1.0.0"


async def test_a_number_that_becomes_true_is_stored_as_true(versioned_host):
    flags = {"default": 1, "type": ["integer", "boolean"]}
    step = {"op": "map", "path": "/loud", "values": [{"from": 1, "to": True}]}
    await versioned_host.install(VersionedApp("2.0.0", settings_schema(loud=flags)))
    room = await versioned_host.room({"loud": 1})
    steps = [{"from": ">=2,<3", "to": "3.0.0", "steps": [step]}]
    loud = settings_schema(loud={"type": "boolean", "default": False})
    await versioned_host.install(VersionedApp("3.0.0", loud, migrations=steps))
    moved = await versioned_host.upgrade(room, "3.0.0")
    assert moved.plan.strategy is Strategy.ASSISTED
    assert (await versioned_host.now(room)).app_settings["loud"] is True


# --------------------------------------------------------------------------------------- assisted


async def test_steps_carry_settings_over_and_down_steps_back(versioned_host):
    room = await versioned_host.room({"title": "Gala"})
    await versioned_host.install(VersionedApp("2.0.0", RENAMED, migrations=[RENAME]))

    plan = await versioned_host.plan(room, "2.0.0")
    assert (plan.strategy, plan.allowed) == (Strategy.ASSISTED, True)
    await versioned_host.upgrade(room, "2.0.0")
    assert (await versioned_host.now(room)).app_settings == {"name": "Gala", "limit": 3}
    [event] = await versioned_host.host.events(room.id, "room:version_changed")
    assert event.payload["how"] == "assisted"

    down = await versioned_host.upgrade(room, "1.0.0")
    assert down.plan.strategy is Strategy.ASSISTED
    assert (await versioned_host.now(room)).app_settings == {"title": "Gala", "limit": 3}
    assert (await versioned_host.locks(room))[-1].reason == "downgrade"


async def test_steps_are_chained_over_three_versions(versioned_host):
    room = await versioned_host.room({"title": "Gala", "limit": 9})
    third = {"from": ">=2,<3", "to": "3.0.0", "steps": [
        {"op": "move", "from": "/name", "path": "/card/name"},
        {"op": "set", "path": "/card/size", "value": 1},
    ]}  # fmt: skip
    nested = settings_schema(
        card={"type": "object", "required": ["name", "size"]}, limit={"type": "integer"}
    )
    await versioned_host.install(
        VersionedApp("2.0.0", RENAMED, migrations=[RENAME]),
        VersionedApp("3.0.0", nested, migrations=[third]),
    )
    moved = await versioned_host.upgrade(room, "3.0.0")
    assert moved.plan.strategy is Strategy.ASSISTED
    settings = (await versioned_host.now(room)).app_settings
    assert settings == {"card": {"name": "Gala", "size": 1}, "limit": 9}


async def test_the_app_carries_settings_and_state_over(versioned_host):
    room = await versioned_host.room(
        {"title": "Gala"}, {"public": {"count": 4}, "private": {"seed": 1}}
    )
    app = await versioned_host.install(
        VersionedApp("2.0.0", RENAMED, state=COUNTING, migrations=[RENAME], capabilities=[CARRIES])
    )  # fmt: skip
    app.migrate = lambda _, request: {
        "settings": request.settings | {"limit": request.settings["limit"] * 2},
        "state": {"public": {"total": request.state.public["count"]}},
        "notes": ["The count is called total now."],
    }
    plan = await versioned_host.plan(room, "2.0.0")
    assert plan.strategy is Strategy.ASSISTED
    assert plan.carried.notes == ("The count is called total now.",)
    assert plan.changed_state == {"public": {"total": 4}}

    await versioned_host.upgrade(room, "2.0.0")
    assert (await versioned_host.now(room)).app_settings == {"name": "Gala", "limit": 6}
    assert await versioned_host.state(room) == {
        "public": {"total": 4}, "organizer": {}, "private": {"seed": 1},
    }  # fmt: skip
    context, request = app.was_asked("migrate")[-1]
    assert (request.from_version, request.to_version) == ("1.0.0", "2.0.0")
    assert request.settings == {"name": "Gala", "limit": 3}
    assert context.room.settings == {"title": "Gala", "limit": 3}
    assert (context.app.version, context.lock) == (
        "2.0.0",
        (await versioned_host.locks(room))[0].digest,
    )
    [changed] = (await versioned_host.host.events(room.id, "state:changed"))[-1:]
    assert changed.payload["state"] == {"total": 4}
    assert (await versioned_host.replayed(room)).state["public"] == {"total": 4}
    assert (await versioned_host.shown(room)).state.public == {"total": 4}


async def test_on_the_way_down_the_newer_version_is_asked_where_steps_do_not_reach(versioned_host):
    room = await versioned_host.room({"title": "Gala"})
    app = await versioned_host.install(VersionedApp("2.0.0", RENAMED, capabilities=[CARRIES]))

    def carry(_, request):
        before, after = ("title", "name") if request.to_version == "2.0.0" else ("name", "title")
        return {"settings": {after: request.settings[before]}}

    app.migrate = carry
    await versioned_host.upgrade(room, "2.0.0")
    await versioned_host.upgrade(room, "1.0.0")
    assert (await versioned_host.now(room)).app_settings == {"title": "Gala", "limit": 3}
    context, request = app.was_asked("migrate")[-1]
    assert (context.app.version, request.to_version) == ("2.0.0", "1.0.0")


async def test_an_app_that_speaks_1_0_alone_receives_what_the_room_has(versioned_host):
    room = await versioned_host.room({"title": "Gala"})
    older = VersionedApp(
        "2.0.0", RENAMED, migrations=[RENAME], capabilities=[CARRIES], contract=">=1.0 <1.1"
    )
    app = await versioned_host.install(older)
    app.migrate = lambda _, request: {"settings": {"name": request.settings["title"]}}
    await versioned_host.upgrade(room, "2.0.0")
    assert (await versioned_host.now(room)).app_settings == {"name": "Gala", "limit": 3}
    context, request = app.was_asked("migrate")[-1]
    assert context.contract == "1.0"
    assert request.settings == {"title": "Gala", "limit": 3}


def test_steps_down_come_before_the_hook_as_well():
    newer = VersionedApp("2.0.0", RENAMED, migrations=[RENAME], capabilities=[CARRIES])
    after, before = Manifest.of(newer.app_manifest()), Manifest.of(VersionedApp().app_manifest())
    way = migration_path(after, before, (before, after))
    assert way.is_down
    had = CurrentRoom({"name": "Gala", "limit": 3}, {})
    assert given_to_app(way, had) == {"title": "Gala", "limit": 3}


async def test_a_step_that_fails_leaves_the_hook_what_the_room_has(versioned_host):
    room = await versioned_host.room({"title": "Gala"})
    wrong = {"op": "move", "from": "/limit", "path": "/name/limit"}
    broken = RENAME | {"steps": [*RENAME["steps"], wrong]}
    app = await versioned_host.install(
        VersionedApp("2.0.0", RENAMED, migrations=[broken], capabilities=[CARRIES])
    )
    app.migrate = lambda _, request: {"settings": {"name": request.settings["title"]}}
    await versioned_host.upgrade(room, "2.0.0")
    assert (await versioned_host.now(room)).app_settings["name"] == "Gala"
    _, request = app.was_asked("migrate")[-1]
    assert request.settings == {"title": "Gala", "limit": 3}


async def test_an_app_that_may_be_asked_is_not_where_a_change_is_small(versioned_host):
    room = await versioned_host.room()
    app = await versioned_host.install(VersionedApp("1.1.0", OPTIONAL, capabilities=[CARRIES]))
    assert (await versioned_host.upgrade(room, "1.1.0")).plan.strategy is Strategy.AUTOMATIC
    assert app.was_asked("migrate") == []


async def test_what_the_organizer_gives_is_merged_and_validated(versioned_host):
    room = await versioned_host.room()
    await versioned_host.install(VersionedApp("2.0.0", NEEDY))
    with pytest.raises(MigrationRequired) as refused:
        await versioned_host.upgrade(room, "2.0.0", migration_data={"venue": "x"})
    assert list(refused.value.details["fields"]) == ["/venue"]
    moved = await versioned_host.upgrade(
        room, "2.0.0", migration_data={"venue": "Hall", "limit": None}
    )
    assert moved.plan.strategy is Strategy.ASSISTED
    settings = (await versioned_host.now(room)).app_settings
    assert settings == {"title": "Evening", "limit": 3, "venue": "Hall"}


async def test_a_copy_of_an_older_room_gets_its_settings_by_steps(versioned_host):
    room = await versioned_host.room({"title": "Gala"})
    await versioned_host.install(VersionedApp("2.0.0", RENAMED, migrations=[RENAME]))
    copy = await copy_room(
        versioned_host.host.services, room.id, versioned_host.host.organizer, "Next year"
    )
    assert (copy.app_manifest_version, copy.app_settings) == ("2.0.0", {"name": "Gala", "limit": 3})
    await versioned_host.install(VersionedApp("3.0.0", NEEDY))
    with pytest.raises(Invalid) as refused:
        await copy_room(
            versioned_host.host.services, room.id, versioned_host.host.organizer, "Next year"
        )
    assert "/appSettings/venue" in refused.value.details["fields"]


# ----------------------------------------------------------------------------------------- manual


async def test_what_is_missing_is_listed_so_that_a_form_can_be_made_of_it(versioned_host):
    room = await versioned_host.room()
    before = await versioned_host.all_of(room)
    schema = settings_schema(
        ("venue",), venue=NEEDY["properties"]["venue"], limit={"type": "integer", "maximum": 2}
    )
    await versioned_host.install(VersionedApp("2.0.0", schema))
    with pytest.raises(MigrationRequired) as refused:
        await versioned_host.upgrade(room, "2.0.0")
    assert (refused.value.status, refused.value.code) == (422, "MIGRATION_REQUIRED")
    form = {each["pointer"]: each for each in refused.value.details["form"]}
    assert form.keys() == {"/venue", "/limit", "/title"}
    assert form["/venue"] == {
        "pointer": "/venue",
        "type": "string",
        "title": "Venue",
        "description": "Where it is.",
        "code": "REQUIRED",
        "problem": "this field is required",
        "schema": NEEDY["properties"]["venue"],
    }
    assert (form["/limit"]["code"], form["/limit"]["schema"]) == (
        "MAXIMUM", {"type": "integer", "maximum": 2},
    )  # fmt: skip
    assert (form["/title"]["code"], form["/title"]["schema"]) == ("UNKNOWN_FIELD", None)
    assert await versioned_host.all_of(room) == before

    given = {"venue": "Hall", "limit": 2, "title": None}
    assert (await versioned_host.upgrade(room, "2.0.0", migration_data=given)).moved


async def test_a_state_that_does_not_fit_is_nobodys_to_give(versioned_host):
    room = await versioned_host.room({}, {"public": {"count": 4}})
    await versioned_host.install(VersionedApp("2.0.0", FIRST, state=COUNTING))
    for data in (None, {"limit": 4}):
        plan = await versioned_host.plan(room, "2.0.0", migration_data=data)
        assert (plan.strategy, plan.carried.fields) == (Strategy.MANUAL, ())
        [reason] = plan.carried.reasons
        assert "The state of the room does not fit 2.0.0" in reason


async def test_an_app_that_does_not_carry_over_leaves_everything_as_it_was(versioned_host):
    room = await versioned_host.room({"title": "Gala"}, {"public": {"count": 4}})
    app = await versioned_host.install(
        VersionedApp(
            "2.0.0", FIRST, state=COUNTING, capabilities=[CARRIES],
            policies={"settingsMigration": {"timeout": 100}},
        )
    )  # fmt: skip
    before = await versioned_host.all_of(room)

    def refuse(*_):
        raise Refuse("TOO_OLD", "Start anew.")

    async def hang(*_):
        await asyncio.Event().wait()

    fits = {"public": {"total": 1}}
    big = {"public": {"total": "x" * 131_072}}
    answers = {
        "raises": lambda *_: 1 / 0,
        "hangs": hang,
        "refuses": refuse,
        "nothing": lambda *_: None,
        "nonsense": lambda *_: {"settings": {}, "unknown": 1},
        "invalid settings": lambda *_: {"settings": {"limit": "x"}, "state": fits},
        "invalid state": lambda _, request: {"settings": request.settings},
        "too much state": lambda _, request: {"settings": request.settings, "state": big},
        "too many settings": lambda *_: {
            "settings": {"title": "x" * 262_144}, "state": fits,
        },
    }  # fmt: skip
    for name, answer in answers.items():
        app.migrate = answer
        plan = (await versioned_host.upgrade(room, "2.0.0", dry_run=True)).plan
        assert plan.strategy is Strategy.MANUAL, name
        assert plan.carried.reasons or plan.carried.fields, name
        with pytest.raises(MigrationRequired):
            await versioned_host.upgrade(room, "2.0.0")
        assert await versioned_host.all_of(room) == before, name


async def test_data_stands_in_for_an_app_that_fails(versioned_host):
    room = await versioned_host.room()
    app = await versioned_host.install(VersionedApp("2.0.0", NEEDY, capabilities=[CARRIES]))
    app.migrate = lambda *_: 1 / 0
    with pytest.raises(MigrationRequired):
        await versioned_host.upgrade(room, "2.0.0")
    moved = await versioned_host.upgrade(room, "2.0.0", migration_data={"venue": "Hall"})
    assert moved.plan.strategy is Strategy.ASSISTED
    [used] = await versioned_host.host.events(room.id, "app:fallback_used")
    assert used.payload["hook"] == "migrate_settings"


async def test_steps_that_cannot_be_done_are_told_and_change_nothing(versioned_host):
    room = await versioned_host.room()
    step = {"op": "set", "path": "/title/inner", "value": 1}
    entry = {"from": ">=1,<2", "to": "2.0.0", "steps": [step]}
    await versioned_host.install(VersionedApp("2.0.0", FIRST, migrations=[entry]))
    plan = await versioned_host.plan(room, "2.0.0")
    assert plan.strategy is Strategy.MANUAL
    assert "/title" in plan.carried.reasons[0]


# ------------------------------------------------------------------------------ what stands against


async def test_only_a_published_version_is_moved_to(versioned_host):
    room = await versioned_host.room()
    with pytest.raises(NotFound) as missing:
        await versioned_host.upgrade(room, "7.0.0")
    assert missing.value.code == "VERSION_NOT_FOUND"


async def test_what_nothing_serves_is_not_moved_to_and_an_orphan_is_moved_away(versioned_host):
    room = await versioned_host.room()
    await versioned_host.install(
        VersionedApp("1.1.0", OPTIONAL), VersionedApp("1.2.0", OPTIONAL, serves="==1.2.0")
    )
    plan = await versioned_host.plan(room, "1.1.0")
    assert [each.code for each in plan.refusals] == ["APP_NOT_SERVED"]
    with pytest.raises(Invalid) as refused:
        await versioned_host.upgrade(room, "1.1.0")
    assert refused.value.code == "APP_NOT_SERVED"
    assert not versioned_host.host.services.catalog.is_served("shop", "1.0.0")
    assert (await versioned_host.upgrade(room, "1.2.0")).moved


async def test_looser_visibility_needs_consent(versioned_host):
    room = await versioned_host.room()
    shown = settings_schema(**{
        **FIRST["properties"], "limit": FIRST["properties"]["limit"] | {"x-visibility": "public"},
    })  # fmt: skip
    await versioned_host.install(VersionedApp("2.0.0", shown))
    plan = await versioned_host.plan(room, "2.0.0")
    assert [each.code for each in plan.refusals] == ["CONSENT_REQUIRED"]
    with pytest.raises(ConsentRequired) as refused:
        await versioned_host.upgrade(room, "2.0.0")
    [consent] = refused.value.details["consents"]
    assert "/limit" in consent["pointer"]
    assert (await versioned_host.upgrade(room, "2.0.0", consent=True)).moved


async def test_only_organizers_move_a_room(versioned_host):
    room = await versioned_host.room()
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    await versioned_host.host.change(room.id, fields={"is_public": True})
    stranger = await versioned_host.host.person("stranger@example.com")
    await versioned_host.host.change(room.id, status=RoomStatus.ACTIVE)
    guest = principal(await versioned_host.host.guest(room))
    for caller in (stranger, guest):
        with pytest.raises(Forbidden):
            await upgrade_room(
                versioned_host.host.services, room.id, caller, UpgradeRequest(target="1.1.0")
            )
    assert (await versioned_host.now(room)).app_manifest_version == "1.0.0"


async def test_who_saw_another_room_is_told(versioned_host):
    room = await versioned_host.room()
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    await versioned_host.host.change(room.id, fields={"name": "Gala"})
    with pytest.raises(RoomChanged):
        await versioned_host.upgrade(room, "1.1.0", expected=room.version)
    now = await versioned_host.now(room)
    assert (await versioned_host.upgrade(room, "1.1.0", expected=now.version)).moved


async def test_settings_that_grow_too_large_are_not_kept(versioned_host):
    room = await versioned_host.room()
    await versioned_host.install(VersionedApp("1.1.0", OPTIONAL))
    with pytest.raises((MigrationRequired, TooLarge)):
        await versioned_host.upgrade(room, "1.1.0", migration_data={"title": "x" * 262_144})
    assert (await versioned_host.now(room)).app_manifest_version == "1.0.0"
