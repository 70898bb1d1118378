"""Commands set up logging for their process; here that process is the tests' own."""

import logging
from collections.abc import Iterator

import pytest

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
