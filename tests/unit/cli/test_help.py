"""Every command explains itself, with an example, and says what is wrong in a sentence."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mymozhem.cli import cli
from mymozhem.cli.reference_pages import cli_page, settings_page

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"
USAGE = 2


def commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if not isinstance(command, click.Group):
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from commands(command.get_command(context, name), *path, name)


FOUND = dict(commands(cli))
GROUPS = {path: each for path, each in FOUND.items() if isinstance(each, click.Group)}
EVERY = {path: each for path, each in FOUND.items() if path not in GROUPS}
PATHS = pytest.mark.parametrize("path", EVERY, ids=" ".join)


@PATHS
def test_a_command_says_what_it_does_and_gives_an_example_line_by_line(path):
    shown = CliRunner().invoke(cli, [*path, "--help"])
    assert shown.exit_code == 0, shown.output
    lines = [line.strip() for line in shown.output.splitlines()]
    (start,) = (at for at, line in enumerate(lines) if line in {"Example:", "Examples:"})
    called = " ".join(("mymozhem", *path))
    assert any(called in line for line in lines[start + 1 :]), shown.output


@PATHS
def test_a_command_with_an_unknown_option_is_not_understood(path):
    refused = CliRunner().invoke(cli, [*path, "--no-such-option"])
    assert refused.exit_code == USAGE
    assert "--no-such-option" in refused.stderr
    assert refused.stdout == ""


@PATHS
def test_every_option_that_is_not_plain_says_what_it_is_for(path):
    plain = {"form", "status"}
    options = [each for each in EVERY[path].params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help and each.name not in plain] == []


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(("mymozhem", *path)))
def test_the_help_of_a_group_shows_the_first_sentence_of_every_command_uncut(path):
    group = GROUPS[path]
    shown = CliRunner().invoke(cli, [*path, "--help"], terminal_width=80).output
    lines = [line.strip() for line in shown.partition("\nCommands:\n")[2].splitlines()]
    context = click.Context(group)
    expected = {
        name: inspect.cleandoc(group.get_command(context, name).help).split("\n\n")[0]
        for name in group.list_commands(context)
    }
    assert dict(line.split(maxsplit=1) for line in lines) == expected
    assert [line for line in expected.values() if not line.endswith(".")] == []


def test_the_help_imports_no_command():
    program = (
        "import sys; from mymozhem.cli import cli\n"
        "try: cli(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'quart', 'aiohttp', 'alembic', 'rich', 'pydantic'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr


def test_an_unknown_command_is_not_understood():
    refused = CliRunner().invoke(cli, ["no-such-command"])
    assert (refused.exit_code, refused.stdout) == (USAGE, "")
    assert "No such command 'no-such-command'" in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "65536", "MYMOZHEM_PORT: "),
        ("LOG_LEVEL", "loud", "MYMOZHEM_LOG_LEVEL: "),
        ("DATABASE_URL", "mysql://host/name", "mysql is not supported"),
        ("DATABASE_URL", "sqlite://", "a SQLite database needs a file"),
        ("DATABASE_URL", "hunter2", "The address of the database cannot be read"),
    ],
)
def test_a_setting_that_breaks_its_rule_is_said_in_a_sentence(monkeypatch, name, value, said):
    monkeypatch.setenv(f"MYMOZHEM_{name}", value)
    refused = CliRunner().invoke(cli, ["rooms", "list"])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"Error: {said}")
    assert "hunter2" not in refused.stderr


@pytest.mark.parametrize(
    ("page", "written"), [("cli.md", cli_page), ("settings.md", settings_page)]
)
def test_a_page_of_the_reference_is_what_the_code_says(page, written):
    """Type `make docs` when it is not."""
    assert (REFERENCE / page).read_text(encoding="utf-8") == written()
