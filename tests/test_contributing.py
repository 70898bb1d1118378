"""What is said of the code is true: its paths, its names, its commands, and its layers."""

import re
import tomllib

import pytest

from tests.docs.blocks import ROOT
from tests.docs.code_names import HOST, files_of, missing

CONTRIBUTING = ROOT / "CONTRIBUTING.md"
ARCHITECTURE = ROOT / "docs" / "explanation" / "architecture.md"
#: words in backticks that are no names of ours
OTHERS = {"GET", "POST", "model_validator", "noqa"}


def layers(contract: str) -> list[set[str]]:
    """Return the layers that the linter holds, the top one first, with what is there."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (rows,) = [found["layers"] for found in settings["contracts"] if found["id"] == contract]
    folder = HOST / "rooms" if contract == "rooms" else HOST
    there = {path.stem for path in folder.iterdir() if path.suffix in ("", ".py")} - {"__main__"}
    found = [set(re.findall(r"\w+", row)) & there for row in rows]
    return [row for row in found if row]


def rows_under(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading of the page."""
    section = ARCHITECTURE.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def known_settings() -> set[str]:
    """Return the variables of the environment that tests read."""
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    return set(re.findall(r'"(MYMOZHEM_[A-Z_]+)"', sources))


@pytest.mark.parametrize("page", [CONTRIBUTING, ARCHITECTURE], ids=lambda page: page.stem)
def test_a_page_names_nothing_that_the_code_does_not_have(page):
    assert missing(page, known=OTHERS | known_settings()) == []


def test_a_stale_name_is_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "| `rooms/effects.py`: `apply_effects`, `Dispatcher.call` |\n\n"
        "`rooms/gone.py`, `no_such_thing`, `Dispatcher.gone`, `make nothing`, `api/`\n"
    )
    assert missing(page) == [
        "Dispatcher.call in rooms/effects.py",
        "Dispatcher.gone",
        "make nothing",
        "no_such_thing",
        "rooms/gone.py",
    ]


@pytest.mark.parametrize(("heading", "contract"), [("Layers", "layers"), ("Inside rooms", "rooms")])
def test_the_table_of_layers_is_what_the_linter_holds(heading, contract):
    rows = rows_under(heading)
    assert [set(re.findall(r"`(\w+)`", row[1])) for row in rows] == layers(contract)
    assert [int(row[0]) for row in rows] == list(range(len(rows), 0, -1))


def test_where_to_look_names_files_that_there_are():
    rows = rows_under("Where to look")
    assert len(rows) > 10
    for _, where in rows:
        paths = [path for path in re.findall(r"`([^`]+)`", where) if "/" in path or "." in path]
        assert paths
        assert [path for path in paths if not files_of(path)] == []


def test_every_target_of_the_makefile_is_explained():
    targets = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = CONTRIBUTING.read_text()
    said_elsewhere = {"help", "install", "install-dev", "clean"}
    assert [each for each in targets if f"make {each}" not in text] == [
        each for each in targets if each in said_elsewhere
    ]
