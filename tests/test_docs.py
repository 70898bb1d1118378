"""The documentation is true: its commands run, its examples work, its links lead somewhere.

What the words behind a fence mean is said in `tests/docs/blocks.py`; how a tutorial is walked
through, in `tests/docs/run_page.py`.
"""

import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mymozhem.cli import cli
from mymozhem.config import Settings
from mymozhem.contract import HOOKS
from mymozhem.manifests.enums import Addressee, Need, Permission
from mymozhem.manifests.validate import validate_manifest
from mymozhem.resources import resource_root
from tests.docs import write
from tests.docs.blocks import ROOT, Block, blocks, pages, prose
from tests.docs.run_examples import examples, run
from tests.docs.run_page import (
    SharedHost,
    checkout,
    expectations,
    matches,
    shared_host,
    starts_with,
    walk,
)

DOCS = ROOT / "docs"
PAGES = pages()
BLOCKS = [block for page in PAGES for block in blocks(page)]
WALKED = [
    DOCS / "tutorial" / "first-event.md",
    DOCS / "tutorial" / "first-plugin.md",
    DOCS / "tutorial" / "windows.md",
    DOCS / "howto" / "run-a-draw-with-public-sources.md",
    DOCS / "howto" / "run-a-quiz.md",
    DOCS / "howto" / "test-an-app.md",
    DOCS / "howto" / "migrate-rooms-to-a-new-version.md",
    DOCS / "howto" / "register-a-remote-app.md",
]
#: the command that starts a demo, with which several pages begin
DEMO = "make run"
LANGUAGES = {"sh", "python", "json", "toml", "text", "ini", "http"}
#: variables that only the tests read
OF_TESTS = {
    "MYMOZHEM_FAULT_ROUNDS",
    "MYMOZHEM_TEST_GENERATORS",
    "MYMOZHEM_TEST_POSTGRES_URL",
    "MYMOZHEM_TEST_STRICT",
}
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+?)\s*$", re.MULTILINE)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


# ------------------------------------------------------------------------------- what can be run


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedHost]:
    """The host that readers of several pages start with the same first command."""
    with shared_host(DEMO, checkout(tmp_path_factory.mktemp("demo"))) as host:
        yield host


@pytest.mark.skipif(shutil.which("curl") is None, reason="the reader of a tutorial has curl")
@pytest.mark.parametrize("page", WALKED, ids=named)
def test_every_command_of_a_tutorial_runs_and_prints_what_the_page_says(page, tmp_path, request):
    host = request.getfixturevalue("demo") if starts_with(page, DEMO) else None
    walked = walk(page, checkout(tmp_path), host)
    assert walked.problem is None, walked.problem
    wrong = [
        f"{shown}\n{shown.text}\nbut printed was\n{walked.printed[commands]}"
        for commands, shown in expectations(page)
        if not matches(shown.text, walked.printed[commands])
    ]
    assert wrong == []


def test_every_tutorial_is_walked_through():
    assert set((DOCS / "tutorial").glob("*.md")) <= set(WALKED)


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=named)
def test_the_python_examples_of_a_page_run(page):
    run(page)


@pytest.mark.parametrize("block", [each for each in of("python") if each.file is not None], ids=str)
def test_every_python_file_belongs_to_a_page_that_is_walked(block):
    assert block.page in WALKED


def test_the_app_on_the_front_page_is_an_app():
    (example,) = (block for block in of("python") if block.page == ROOT / "README.md")
    app: dict = {}
    exec(compile(example.text, "README.md", "exec"), app)
    report = validate_manifest(app["app_manifest"](), registered_as="bell")
    assert report.problems == ()


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_every_json_example_is_json_and_every_manifest_is_valid(block):
    document = json.loads(block.text)
    if "manifest" in block.words:
        assert validate_manifest(document).problems == ()


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_every_toml_example_is_toml(block):
    assert tomllib.loads(block.text)


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_what_it_is(block):
    assert block.language in LANGUAGES


def commands_in(block: Block) -> Iterator[list[str]]:
    """Yield the arguments of every call of `mymozhem`, wherever it stands in a line."""
    text = block.text.replace("\\\n", " ")
    for found in re.finditer(
        r"(?:^|[|;&(] *|\w+=\S+ +)mymozhem +([^|;&\n>)]*)", text, re.MULTILINE
    ):
        yield shlex.split(found[1].split(" < ")[0], comments=True)


def parse(arguments: list[str]) -> None:
    """Let click read a call without doing it; UsageError where there is no such thing."""
    command, context = cli, click.Context(cli, info_name="mymozhem")
    while isinstance(command, click.Group):
        if arguments[:1] in (["--version"], ["--help"]):
            return
        name, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    command.make_parser(context).parse_args(list(arguments))


@pytest.mark.parametrize("block", of("sh"), ids=str)
def test_every_call_of_the_command_line_names_what_there_is(block):
    for arguments in commands_in(block):
        parse(arguments)


# ------------------------------------------------------------------------------- where links lead


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = (
        re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", each) for each in _HEADING.findall(prose(page))
    )
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page):
    broken = []
    for link in _LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = page if not path else (page.parent / path).resolve()
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", [page for page in PAGES if DOCS in page.parents], ids=named)
def test_every_page_can_be_reached_from_the_entrance(page):
    reached, new = set(), [DOCS / "README.md"]
    while new:
        here = new.pop()
        reached.add(here)
        found = (here.parent / link.partition("#")[0] for link in _LINK.findall(prose(here)))
        new += [each.resolve() for each in found if each.suffix == ".md" and each.exists()]
        new = [each for each in new if each not in reached]
    assert page in reached


# --------------------------------------------------------------------- nothing is left out


@pytest.mark.parametrize("page", write.PAGES, ids=named)
def test_a_page_that_follows_from_the_code_is_up_to_date(page):
    message = "Write it anew: python -m tests.docs.write"
    assert page.read_text(encoding="utf-8") == write.PAGES[page](), message


def manifest_fields() -> Iterator[str]:
    """Yield every field that the schema of manifests knows, also inside its parts."""
    schema = json.loads((resource_root() / "v1" / "manifest.schema.json").read_text())
    yield from schema["properties"]
    for part in schema["$defs"].values():
        yield from part.get("properties", {})
        yield from part.get("else", {}).get("properties", {})


def test_every_field_of_a_manifest_is_documented():
    text = (DOCS / "reference" / "manifest.md").read_text()
    listed = {*manifest_fields(), *Addressee, *Need, *Permission, *(h.capability for h in HOOKS)}
    assert sorted(name for name in listed if f"`{name}`" not in text) == []


def test_every_setting_is_documented():
    text = (DOCS / "reference" / "settings.md").read_text()
    missing = [
        f"MYMOZHEM_{n.upper()}"
        for n in Settings.model_fields
        if f"MYMOZHEM_{n.upper()}" not in text
    ]
    assert missing == []


def variables(command: click.Command) -> Iterator[str]:
    """Yield the variables that a command reads for its options, and those of its commands."""
    yield from (each.envvar for each in command.params if isinstance(each.envvar, str))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from variables(command.get_command(context, name))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_names_no_setting_that_there_is_not(page):
    known = {f"MYMOZHEM_{name.upper()}" for name in Settings.model_fields} | {*variables(cli)}
    if page == ROOT / "CONTRIBUTING.md":
        known |= OF_TESTS
    assert set(re.findall(r"MYMOZHEM_[A-Z_]*[A-Z]", page.read_text())) <= known


@pytest.mark.parametrize("manifest", sorted(ROOT.glob("plugins/*/src/*/manifest.json")), ids=named)
def test_an_app_explains_its_settings_actions_and_events(manifest):
    declared = json.loads(manifest.read_text())
    settings = declared.get("settings", {}).get("properties", {})
    names = {*settings, *declared.get("actions", {}), *declared.get("events", {})}
    text = (manifest.parents[2] / "README.md").read_text()
    assert sorted(name for name in names if f"`{name}`" not in text) == []


def every_command(group: click.Group, *path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)
        else:
            yield " ".join(("mymozhem", *path, name))


def test_every_command_is_documented():
    text = (DOCS / "reference" / "cli.md").read_text()
    assert [command for command in every_command(cli) if command not in text] == []


def test_every_word_of_the_glossary_is_explained_once():
    words = re.findall(r"^\*\*(.+?)\*\*", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    assert words == sorted(set(words), key=str.lower)


def test_every_module_that_the_glossary_names_exists():
    text = (DOCS / "glossary.md").read_text()
    modules = re.findall(r"`([\w/]+(?:\.py|/))`", text)
    assert len(modules) > 40
    assert [each for each in modules if not (ROOT / "host" / "mymozhem" / each).exists()] == []
