"""What `mymozhem app new` writes, and what it refuses to write over."""

import ast
import json
import sys
import tomllib
from pathlib import Path

import pytest

from mymozhem.devtools.app_source import find_source
from mymozhem.devtools.project_names import MAX_LENGTH, Names
from mymozhem.devtools.scaffold import Language, write_project
from mymozhem.errors import Conflict, Invalid, NotFound
from mymozhem.manifests.validate import validate_manifest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("name", "module", "distribution", "title"),
    [
        ("bell", "mymozhem_bell", "mymozhem-bell", "Bell"),
        ("show-of-hands", "mymozhem_show_of_hands", "mymozhem-show-of-hands", "Show of hands"),
        ("app_poll_v1", "mymozhem_app_poll_v1", "mymozhem-app-poll-v1", "App poll v1"),
        ("b2", "mymozhem_b2", "mymozhem-b2", "B2"),
        ("x" * MAX_LENGTH, f"mymozhem_{'x' * MAX_LENGTH}", f"mymozhem-{'x' * MAX_LENGTH}",
         f"X{'x' * (MAX_LENGTH - 1)}"),
    ],
)  # fmt: skip
def test_all_names_follow_from_one(name, module, distribution, title):
    names = Names.of(name)
    assert (names.module, names.distribution, names.title) == (module, distribution, title)


@pytest.mark.parametrize(
    "name",
    ["", "b", "Bell", "2nd", "-bell", "bell-", "a--b", "a b", "a.b", "../bell", "bell\n", "колокол",
     "x" * (MAX_LENGTH + 1)],
)  # fmt: skip
def test_what_is_no_name_is_refused_with_what_to_write(name):
    with pytest.raises(Invalid, match="small letters and digits"):
        Names.of(name)


@pytest.fixture
def project(tmp_path):
    write_project(Names.of("show-of-hands"), tmp_path / "project")
    return tmp_path / "project"


def test_a_project_is_complete_and_no_placeholder_is_left(project):
    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert files == {
        ".gitignore", "CHANGELOG.md", "README.md", "pyproject.toml",
        "src/mymozhem_show_of_hands/__init__.py", "src/mymozhem_show_of_hands/hooks.py",
        "src/mymozhem_show_of_hands/manifest.json", "src/mymozhem_show_of_hands/poll.py",
        "src/mymozhem_show_of_hands/py.typed", "tests/test_conformance.py",
        "tests/test_mymozhem_show_of_hands.py",
    }  # fmt: skip
    for path in files:
        text = (project / path).read_text(encoding="utf-8")
        assert "{{" not in text, path
        assert "__module__" not in text, path


def test_a_project_says_one_thing_in_all_its_files(project):
    declared = tomllib.loads((project / "pyproject.toml").read_text())
    manifest = json.loads((project / "src/mymozhem_show_of_hands/manifest.json").read_text())
    assert validate_manifest(manifest, registered_as="show-of-hands").problems == ()
    assert declared["project"]["version"] == manifest["meta"]["version"]
    source = find_source(str(project))
    assert (source.app_id, source.value) == ("show-of-hands", "mymozhem_show_of_hands")
    assert source.code == project / "src" / "mymozhem_show_of_hands"


def test_a_project_runs_tests_that_are_coroutines(project):
    pytest_options = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["pytest"]
    assert pytest_options["ini_options"]["asyncio_mode"] == "auto"
    host = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = host["project"]["optional-dependencies"]["testing"]
    assert any(each.startswith("pytest-asyncio") for each in needed)


def test_nothing_is_written_over(project):
    before = (project / "README.md").read_text()
    with pytest.raises(Conflict, match="there already"):
        write_project(Names.of("bell"), project)
    assert (project / "README.md").read_text() == before
    assert not (project / "src" / "mymozhem_bell").exists()


def test_an_empty_folder_may_be_there(tmp_path):
    assert write_project(Names.of("bell"), tmp_path)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("[project", Invalid, "not valid TOML"),
        ("[project]\nname = 'x'", Invalid, "no app"),
        ("[project.entry-points.'mymozhem.apps']\na = 'a'\nb = 'b'", Invalid, "2 apps"),
        (None, NotFound, "There is no app"),
    ],
)
def test_where_no_app_is_found_it_is_said_why(tmp_path, text, error, said):
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(error, match=said):
        find_source(str(tmp_path))


def test_an_installed_app_is_found_with_its_project():
    source = find_source("lottery")
    assert (source.search, source.value) == (None, "mymozhem_lottery")
    assert source.project is not None
    assert source.project.name == "lottery"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("room", "events of the platform"),
        ("draw", "events of the platform"),
        ("window", "events of the platform"),
        ("class", "keyword or a module of Python"),
        ("match", "keyword or a module of Python"),
        ("asyncio", "keyword or a module of Python"),
        ("lottery", "already a package mymozhem-lottery"),
        ("quiz", "already a package mymozhem-quiz"),
        ("host", "already a package mymozhem-host"),
    ],
)
def test_a_name_that_makes_no_valid_project_is_refused(name, why):
    with pytest.raises(Invalid, match=why) as refused:
        Names.of(name)
    assert refused.value.code == "APP_NAME"


@pytest.mark.parametrize(
    ("language", "program"), [(Language.PYTHON, "app.py"), (Language.TYPESCRIPT, "app.ts")]
)
def test_a_remote_project_has_a_manifest_of_a_remote_app(tmp_path, language, program):
    write_project(Names.of("show-of-hands"), tmp_path / "project", remote=language)
    files = {each.name for each in (tmp_path / "project").iterdir()}
    more = {"package.json"} if language is Language.TYPESCRIPT else set()
    assert files == {".gitignore", "README.md", "manifest.json", program} | more
    report = validate_manifest((tmp_path / "project" / "manifest.json").read_bytes())
    assert (report.problems, report.remarks) == ((), ())
    assert report.manifest.is_remote
    for each in files:
        assert "{{" not in (tmp_path / "project" / each).read_text(encoding="utf-8")


def test_a_remote_project_in_python_imports_the_standard_library_alone(tmp_path):
    write_project(Names.of("show-of-hands"), tmp_path / "project", remote=Language.PYTHON)
    tree = ast.parse((tmp_path / "project" / "app.py").read_text(encoding="utf-8"))
    named = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert named <= sys.stdlib_module_names
