"""A host for each test, on either database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mymozhem.clock import Clock
from tests.support.api_host import ApiHost, make_api_host
from tests.support.api_room import ApiRoom, make_api_room


@pytest.fixture
async def host(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[ApiHost]:
    async with make_api_host(database_url, clock, tmp_path) as built:
        yield built


@pytest.fixture
async def api_room(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[ApiRoom]:
    """A running room with windows, and three guests."""
    async with make_api_room(database_url, clock, tmp_path, "Ada", "Bob", "Cyd") as built:
        yield built
