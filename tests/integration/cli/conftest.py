"""Commands set up logging for their process; here that process is the tests' own."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mymozhem.cli import cli
from tests.integration.cli.seeds import Seeds, grow


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    """Rooms of the lottery in every status, to be planted into the database of a test."""
    return grow(tmp_path_factory.mktemp("seeds"))


@pytest.fixture
def run(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run a command on a database of the test's own, with the lottery enabled."""
    monkeypatch.setenv("MYMOZHEM_DATABASE_URL", database_url)
    monkeypatch.setenv("MYMOZHEM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYMOZHEM_ENABLE_APPS", "lottery")
    monkeypatch.setenv("MYMOZHEM_PUBLIC_URL", "https://events.example.org")

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli, words)

    return invoke
