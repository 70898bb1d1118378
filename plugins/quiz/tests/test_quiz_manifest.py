"""The manifest says what the code does, and says it in two languages."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

import mymozhem_quiz as quiz
from mymozhem.contract import CONTRACT_VERSION, HOOKS, VersionRange
from mymozhem_quiz.actions import ACTIONS, BATCHED
from mymozhem_quiz.importing import FORMATS
from mymozhem_quiz.settings import Settings
from mymozhem_quiz.timers import TIMERS

MANIFEST = quiz.app_manifest()
PROPERTIES = MANIFEST["settings"]["properties"]
README = Path(__file__).resolve().parents[1] / "README.md"


def texts(node, pointer=""):
    """Every title, description and label of a document, by JSON Pointer."""
    items = enumerate(node) if isinstance(node, list) else node.items()
    for name, child in items:
        here = f"{pointer}/{name}"
        if isinstance(child, dict | list):
            yield from texts(child, here)
        elif name in {"title", "description"} or pointer.endswith("/labels"):
            yield here, child
    if pointer == "/meta":
        yield "/meta/name", node["name"]


def test_every_capability_has_its_hook_and_no_hook_is_left_uncalled():
    declared = {hook.name for hook in HOOKS if hook.capability in MANIFEST["capabilities"]}
    implemented = {hook.name for hook in HOOKS if hasattr(quiz, hook.name)}
    assert implemented == declared - {"select_winners"}


def test_it_speaks_this_contract():
    assert CONTRACT_VERSION in VersionRange.parse(MANIFEST["contract"])


def test_every_action_is_declared_and_done():
    assert set(MANIFEST["actions"]) == {*ACTIONS, BATCHED}


def test_organizers_run_it_and_participants_only_choose_teams():
    roles = {name: set(said["roles"]) for name, said in MANIFEST["actions"].items()}
    assert roles.pop(BATCHED) == {"PARTICIPANT"}
    assert all(one == {"ORGANIZER", "MODERATOR"} for one in roles.values())


def test_needs_name_what_exists():
    known = {"close_window"} | {f"timer:{name}" for name in TIMERS}
    assert set(MANIFEST["needs"]) <= known | {f"action:{name}" for name in ACTIONS}


def test_every_format_of_questions_is_declared():
    assert set(MANIFEST["imports"]["rounds"]) == set(FORMATS)


def test_defaults_of_the_manifest_are_those_of_the_code():
    defaults = {name: said["default"] for name, said in PROPERTIES.items() if "default" in said}
    complete = Settings().model_dump(mode="json", by_alias=True)
    assert defaults == {name: value for name, value in complete.items() if value is not None}
    jsonschema.validate(defaults, MANIFEST["settings"])


def test_the_manifest_and_the_code_know_the_same_settings():
    assert set(PROPERTIES) == set(Settings().model_dump(by_alias=True))


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_setting_has_a_title_a_description_a_level_and_a_widget(name):
    assert {"title", "description", "x-visibility", "x-ui"} <= set(PROPERTIES[name])


def test_questions_are_for_organizers():
    rounds = PROPERTIES["rounds"]
    questions = rounds["items"]["properties"]["questions"]
    parts = (rounds, rounds["items"], questions, questions["items"])
    assert {part["x-visibility"] for part in parts} == {"organizer"}
    assert all(part["x-live"] for part in parts)


def test_it_serves_rooms_of_the_first_version():
    served = VersionRange.parse(MANIFEST["serves"])
    assert all(version in served for version in ("1.0.0", "1.9.9", MANIFEST["meta"]["version"]))
    assert "3.0.0" not in served


def test_every_text_is_there_in_english_and_russian():
    document = {name: part for name, part in MANIFEST.items() if name != "locales"}
    found = dict(texts(document))
    assert MANIFEST["locales"]["en"] == found
    assert set(MANIFEST["locales"]["ru"]) == set(found)
    assert all(MANIFEST["locales"]["ru"].values())


def test_the_readme_names_every_setting_with_its_default_every_action_and_every_event():
    readme = README.read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([^`]+)`(?: \*)? \| (.+?) \|", readme, flags=re.MULTILINE))
    assert rows.keys() == PROPERTIES.keys() | MANIFEST["actions"].keys() | MANIFEST["events"].keys()
    for name, said in PROPERTIES.items():
        default = said.get("default")
        shown = rows[name].strip("`")
        assert shown == (json.dumps(default).strip('"') if default not in (None, []) else "none")


def test_the_readme_marks_what_may_change_while_the_room_runs():
    readme = README.read_text(encoding="utf-8")
    marked = set(re.findall(r"^\| `([^`]+)` \*", readme, flags=re.MULTILINE))
    assert marked == {name for name, said in PROPERTIES.items() if said.get("x-live")}
