"""The manifest says what the code does, in two languages, and the code needs the contract alone."""

import ast
import sys
import tomllib
from pathlib import Path

import jsonschema

import mymozhem_tasting as tasting
from mymozhem.contract import HOOKS
from mymozhem_tasting.actions import ACTIONS
from mymozhem_tasting.settings import Settings
from mymozhem_tasting.texts import ENGLISH, RUSSIAN

PROJECT = Path(__file__).resolve().parents[1]
MANIFEST = tasting.app_manifest()


def texts(node, pointer=""):
    """Every name, title, description and label of a document, by JSON Pointer."""
    for name, child in node.items():
        here = f"{pointer}/{name}"
        if isinstance(child, dict):
            yield from texts(child, here)
        elif name in {"title", "description"} or here == "/meta/name" or "/labels/" in here:
            yield here


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def test_it_imports_the_contract_alone():
    code = (PROJECT / "src").rglob("*.py")
    names = {name for path in code for name in imported(path)}
    foreign = {name for name in names if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"mymozhem.contract", "mymozhem.contract.wire"}


def test_every_capability_has_its_hook():
    declared = {hook.name for hook in HOOKS if hook.capability in MANIFEST["capabilities"]}
    assert {hook.name for hook in HOOKS if hasattr(tasting, hook.name)} == declared


def test_every_action_is_declared_and_done():
    assert set(MANIFEST["actions"]) == set(ACTIONS)


def test_defaults_of_the_manifest_are_those_of_the_code():
    properties = MANIFEST["settings"]["properties"]
    defaults = {name: said["default"] for name, said in properties.items()}
    assert defaults == Settings().model_dump(mode="json", by_alias=True)
    jsonschema.validate(defaults, MANIFEST["settings"])


def test_every_text_is_there_in_russian_too():
    document = {name: part for name, part in MANIFEST.items() if name != "locales"}
    assert set(MANIFEST["locales"]["ru"]) == set(texts(document))
    assert RUSSIAN.keys() == ENGLISH.keys()


def test_the_package_and_the_manifest_have_one_version():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert MANIFEST["meta"]["version"] == project["version"]


def test_the_readme_names_every_setting_action_and_event():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    settings = MANIFEST["settings"]["properties"]
    names = {*settings, *MANIFEST["actions"], *MANIFEST["events"]}
    assert sorted(name for name in names if f"`{name}`" not in readme) == []
