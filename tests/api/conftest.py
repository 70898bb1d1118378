"""A host for each test, on either database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mymozhem.clock import Clock
from tests.support.api_host import House, make_house
from tests.support.api_room import Evening, make_evening


@pytest.fixture
async def house(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[House]:
    async with make_house(database_url, clock, tmp_path) as built:
        yield built


@pytest.fixture
async def evening(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Evening]:
    """A running room with windows, and three guests."""
    async with make_evening(database_url, clock, tmp_path, "Ada", "Bob", "Cyd") as built:
        yield built
