"""The apps that come with the platform pass its own validation, and keep what they hide."""

from importlib.resources import files

import pytest

from mymozhem.contract import Level
from mymozhem.manifests.settings import apply_defaults, live_only, project
from mymozhem.manifests.validate import validate_manifest
from mymozhem.manifests.validators import compile_schema

APPS = {"lottery": "mymozhem_lottery", "quiz": "mymozhem_quiz"}


def report(app_id):
    text = files(APPS[app_id]).joinpath("manifest.json").read_bytes()
    return validate_manifest(text, registered_as=app_id)


@pytest.mark.parametrize("app_id", APPS)
def test_the_manifest_is_valid(app_id):
    assert report(app_id).problems == ()


@pytest.mark.parametrize("app_id", APPS)
def test_a_room_made_with_nothing_but_defaults_has_valid_settings(app_id):
    schema = report(app_id).manifest.settings
    assert compile_schema(schema).errors(apply_defaults(schema, {})) == []


def test_participants_see_the_sources_of_a_draw_and_not_whom_organizers_left_out():
    schema = report("lottery").manifest.settings
    source = {"name": "Numbers", "due": "2026-12-31T20:00:00Z"}
    settings = apply_defaults(schema, {"publicSources": [source], "excludedPeople": ["part_1"]})
    seen = project(schema, settings, Level.PUBLIC)
    assert seen["publicSources"] == [source]
    assert "excludedPeople" not in seen


@pytest.mark.parametrize(
    ("change", "frozen"),
    [
        ({"drawDate": "2026-12-31T20:00:00Z"}, False),
        ({"publicSources": [{"name": "Numbers", "due": "2026-12-31T20:00:00Z"}]}, False),
        ({"excludedPeople": ["part_1"]}, False),
        ({"selectionMethod": "rfc3797"}, True),
        ({"allowMultipleWins": True}, True),
        ({"ticketField": "lots"}, True),
    ],
)
def test_a_running_lottery_keeps_its_rules(change, frozen):
    schema = report("lottery").manifest.settings
    before = apply_defaults(schema, {})
    assert bool(live_only(schema, before, {**before, **change})) is frozen
