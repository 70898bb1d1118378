"""The kit proves migrations: right ones pass, and each way to be wrong is found."""

import json
import zipfile

import pytest

from mymozhem.contract import (
    JsonObject,
    MigratedState,
    Refuse,
    SettingsMigrationRequest,
    SettingsMigrationResult,
    hookimpl,
)
from mymozhem.testing import NotConforming, NotOlder, migration_report, migrations


def counting(**parts: JsonObject) -> JsonObject:
    """Return a schema of a state whose public part is closed."""
    public = {"type": "object", "additionalProperties": False, "properties": parts}
    return {"type": "object", "properties": {"public": public}}


def closed(**properties: JsonObject) -> JsonObject:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def declared(version: str, settings: JsonObject, **more: object) -> JsonObject:
    meta: JsonObject = {"name": "Bell", "version": version, "description": "Rings."}
    return {"id": "bell", "meta": meta, "permissions": [], "settings": settings, **more}


COLOURS = closed(
    colour={"enum": ["red", "green"], "default": "red"},
    limit={"type": "integer", "minimum": 1, "maximum": 9},
    rows={"type": "array", "maxItems": 3, "items": {"type": "string"}},
)
OLD = declared("1.0.0", COLOURS, state=counting(rings={"type": "integer", "minimum": 0}))
SHADES = closed(
    shade={"enum": ["#f00", "#0f0"], "default": "#f00"},
    limit={"type": "integer", "minimum": 1, "maximum": 9},
    rows={"type": "array", "items": closed(name={"type": "string"})},
)
STEPS = [
    {"op": "rename", "path": "/colour", "to": "shade"},
    {"op": "map", "path": "/shade", "values": [
        {"from": "red", "to": "#f00"}, {"from": "green", "to": "#0f0"},
    ]},
    {"op": "move", "from": "/rows/*", "path": "/rows/*/name"},
]  # fmt: skip
BACK = [
    {"op": "move", "from": "/rows/*/name", "path": "/rows/*"},
    {"op": "map", "path": "/shade", "values": [
        {"from": "#f00", "to": "red"}, {"from": "#0f0", "to": "green"},
    ]},
    {"op": "rename", "path": "/shade", "to": "colour"},
]  # fmt: skip


class Bell:
    """Rings, in version 2: its settings have other names, and rows are objects."""

    def __init__(self, steps=STEPS, back=BACK, settings=SHADES, **more):
        entry = {"from": "<2.0.0", "to": "2.0.0", "steps": steps}
        entry |= {} if back is None else {"down": back}
        self.entries = [entry]
        self.settings = settings
        self.more = {"state": OLD["state"]} | more

    @hookimpl
    def app_manifest(self) -> JsonObject:
        own = {"capabilities": [], "migrations": self.entries} | self.more
        return declared("2.0.0", self.settings, **own)

    @hookimpl
    def check_health(self) -> None:
        """Be an app: one hook at least."""


class Carrier(Bell):
    """Carries settings and states itself; since 2.0.0 rings have another name in the state."""

    def __init__(self, **more):
        new = counting(sounds={"type": "integer", "minimum": 0})
        super().__init__([], None, state=new, capabilities=["settingsMigration"], **more)

    @hookimpl
    def migrate_settings(self, request: SettingsMigrationRequest) -> SettingsMigrationResult:
        if request.to_version == "1.0.0":
            return self.back(request)
        settings = dict(request.settings)
        settings["shade"] = {"red": "#f00", "green": "#0f0"}[str(settings.pop("colour"))]
        if isinstance(rows := settings.get("rows"), list):
            settings["rows"] = [{"name": row} for row in rows]
        return SettingsMigrationResult(settings=settings, state=self.state(request))

    def state(self, request: SettingsMigrationRequest) -> MigratedState:
        rings = request.state.public.get("rings")
        return MigratedState(public={} if rings is None else {"sounds": rings})

    def back(self, request: SettingsMigrationRequest) -> SettingsMigrationResult:
        raise Refuse("NO_WAY", "Nobody goes back.")


class Returner(Carrier):
    """Goes back as well, and forgets the limit."""

    def back(self, request: SettingsMigrationRequest) -> SettingsMigrationResult:
        sounds = request.state.public.get("sounds")
        state = MigratedState(public={} if sounds is None else {"rings": sounds})
        return SettingsMigrationResult(settings={}, state=state)


class Astray(Carrier):
    """Does not look where the way leads to."""

    def back(self, request: SettingsMigrationRequest) -> SettingsMigrationResult:
        return SettingsMigrationResult(settings=request.settings, state=self.state(request))


class Raising(Carrier):
    def state(self, request: SettingsMigrationRequest) -> MigratedState:
        return MigratedState(public={"sounds": request.state.public["rings"]})


class Refusing(Carrier):
    def state(self, request: SettingsMigrationRequest) -> MigratedState:
        raise Refuse("NO", "I would rather not.")


class Forgetful(Carrier):
    def state(self, request: SettingsMigrationRequest) -> MigratedState:
        return MigratedState()


class Nonsense(Carrier):
    def state(self, request: SettingsMigrationRequest) -> MigratedState:
        return MigratedState(public={"sounds": -1})


def found(app, **more):
    findings = migration_report(app, since=[OLD], **more)
    return {each.check.removesuffix("_1_0_0"): each for each in findings}


def test_right_steps_pass_and_lose_nothing():
    for name, each in found(Bell()).items():
        assert (each.skipped, each.problems) == (None, ()), name


def test_a_right_hook_passes():
    up, back, trips, steps = found(Carrier()).values()
    assert (up.skipped, up.problems) == (None, ())
    assert "the app refuses to migrate rooms back" in str(back.skipped)
    assert trips.skipped == "nothing carries these rooms back"
    assert (steps.skipped, steps.problems) == (None, ())


@pytest.mark.parametrize(
    ("app", "told"),
    [
        (Bell([]), "setting /colour: there is no such field here"),
        (Bell(STEPS[:1]), "setting /shade: "),
        (Bell(STEPS[:2]), "setting /rows/*: "),
        (Bell([*STEPS, {"op": "set", "path": "/limit", "value": 99}]), "setting /limit: "),
        (Bell([*STEPS, {"op": "set", "path": "/shade/x", "value": 1}]), "this is no object that"),
        (Bell([*STEPS, {"op": "set", "path": "/rows/0", "value": 1}]), "this is a list, whose"),
        (Bell([*STEPS, {"op": "remove", "path": "/shade"}], settings={
            **SHADES, "required": ["limit"]}), "setting /limit: this field is required"),
        (Bell(state=counting()), "The state of the room does not fit 2.0.0"),
        (Raising(), "migrate_settings failed: "),
        (Refusing(), "migrate_settings refused: I would rather not."),
        (Forgetful(), "The state of the room does not fit 2.0.0"),
        (Nonsense(), "The state of the room does not fit 2.0.0"),
    ],
)  # fmt: skip
def test_a_wrong_way_up_fails_and_says_where(app, told):
    up = found(app)["rooms_come_up_from"]
    assert not up.passed
    assert told in up.text
    assert "rooms)" in up.text
    assert "one of them had the settings {" in up.text


@pytest.mark.parametrize(
    ("back", "told"),
    [
        (BACK[1:], "setting /rows/*: "),
        (BACK[:2], "setting /shade: there is no such field here"),
        ([*BACK, {"op": "set", "path": "/colour/x", "value": 1}], "this is no object that"),
        ([], "setting /shade: there is no such field here"),
    ],
)
def test_a_wrong_way_back_fails_and_says_where(back, told):
    findings = found(Bell(back=back))
    assert findings["rooms_come_up_from"].passed
    assert not findings["rooms_come_back_to"].passed
    assert told in findings["rooms_come_back_to"].text


def test_a_hook_that_cannot_go_back_has_to_say_so():
    findings = found(Astray())
    assert findings["rooms_come_up_from"].passed
    assert "setting /shade: there is no such field" in findings["rooms_come_back_to"].text


def test_a_hook_goes_back_where_steps_do_not_lead():
    findings = found(Returner())
    back = findings["rooms_come_back_to"]
    assert (back.skipped, back.problems) == (None, ())


def test_without_a_way_back_nothing_fails():
    findings = found(Bell(back=None))
    assert all(each.passed for each in findings.values())
    assert findings["rooms_come_back_to"].skipped
    assert findings["round_trips_from"].skipped


def test_what_a_round_trip_loses_is_reported_and_is_no_failure():
    lossy = Bell([*STEPS, {"op": "set", "path": "/limit", "value": 5}])
    trips = found(lossy)["round_trips_from"]
    assert trips.passed
    (lost,) = trips.problems
    assert lost.startswith("setting /limit: ")
    assert "came back as 5 (" in lost


def test_what_the_app_loses_on_the_way_back_is_reported_as_well():
    lost = found(Returner())["round_trips_from"].problems
    told = {each.partition(":")[0]: each for each in lost}
    assert set(told) == {"setting /colour", "setting /limit", "setting /rows"}
    assert "came back as nothing (" in told["setting /limit"]


def test_a_step_that_never_does_anything_is_reported():
    idle = {"op": "remove", "path": "/rows/0/name"}
    steps = found(Bell([idle, *STEPS]))["steps_from"]
    assert steps.passed
    assert steps.problems == (f"to 2.0.0, step 0: {json.dumps(idle)}",)


def test_versions_between_are_ways_as_well():
    entry = {"from": "<1.5.0", "to": "1.5.0", "steps": STEPS, "down": BACK}
    between = declared("1.5.0", SHADES, state=OLD["state"], migrations=[entry])
    app = Bell()
    app.entries = []
    assert not found(app)["rooms_come_up_from"].passed
    findings = list(migration_report(app, since=[OLD, between]))
    assert [each.problems for each in findings] == [()] * 8


def test_settings_and_states_of_ones_own_are_tried():
    narrow = declared("1.0.0", closed(code={"type": "string", "pattern": "^(?:ab|cd){5}(?:x|yy)$"}))
    wide = closed(code={"type": "string", "maxLength": 11})
    app = Bell([], None, settings=wide)
    given = {"code": "ababababab" + "yy"}
    (up, *_) = migration_report(app, since=[narrow], settings=[given], most=2)
    assert not up.passed
    assert given["code"] in up.text
    (up, *_) = migration_report(app, since=[narrow], states=[{"public": {"strange": 1}}])
    assert "/public/strange" in up.text


def test_where_nothing_can_be_made_the_proof_fails():
    impossible = declared("1.0.0", {"required": ["a"], "properties": {"a": {"not": {}}}})
    up, *others = migration_report(Bell(), since=[impossible])
    assert "no settings, or no state, could be made" in up.text
    assert not up.passed
    assert all(each.skipped for each in others)


def test_one_line_makes_tests_of_each_version(capsys):
    old = declared("1.1.0-rc.1", COLOURS, state=OLD["state"])
    lossy = Bell([*STEPS, {"op": "set", "path": "/limit", "value": 5}])
    tests = migrations(lossy, since=[OLD, old], most=20)
    named = [name for name in vars(tests) if name.startswith("test_")]
    assert len(named) == 8
    assert "test_rooms_come_back_to_1_1_0_rc_1" in named
    for name in named:
        getattr(tests(), name)()
    assert "setting /limit: " in capsys.readouterr().out


def test_a_failure_of_a_test_tells_what_is_wrong():
    tests = migrations(Bell([]), since=[OLD], most=20)()
    with pytest.raises(
        NotConforming, match=r"^1\.0\.0 → 2\.0\.0: Settings and states(.|\n)*/colour"
    ):
        tests.test_rooms_come_up_from_1_0_0()


def test_the_same_rooms_are_carried_every_time():
    first, second = found(Bell([])), found(Bell([]))
    assert first == second


def test_manifests_come_from_files_and_wheels(tmp_path):
    file, wheel = tmp_path / "bell.json", tmp_path / "bell-1.0.0-py3-none-any.whl"
    file.write_text(json.dumps(OLD), encoding="utf-8")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("bell/manifest.json", json.dumps(OLD))
        archive.writestr("bell/static/manifest.json", '{"id": "page"}')
    for given in (file, str(file), wheel):
        assert all(each.passed for each in migration_report(Bell(), since=[given], most=10))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({**OLD, "meta": {**OLD["meta"], "version": "2.0.0"}}, "not older than 2.0.0"),
        ({**OLD, "id": "gong"}, "is of gong, not of bell"),
        ({"id": "bell"}, "is no manifest"),
        ({**OLD, "meta": {**OLD["meta"], "version": "old"}}, "is no manifest"),
        ("missing.json", r"there is no missing\.json"),
        (__file__, "is no manifest"),
    ],
)
def test_what_is_no_older_manifest_is_refused_at_once(given, why):
    with pytest.raises(NotOlder, match=why):
        migrations(Bell(), since=[given])


def test_a_wheel_of_another_app_is_refused(tmp_path):
    wheel = tmp_path / "gong.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("gong/manifest.json", '{"id": "gong"}')
    with pytest.raises(NotOlder, match=r"holds 0 files manifest\.json of bell"):
        migrations(Bell(), since=[wheel])
