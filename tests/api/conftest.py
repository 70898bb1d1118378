"""A host for each test, on either database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mymozhem.clock import Clock
from tests.api.house import House, make_house


@pytest.fixture
async def house(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[House]:
    async with make_house(database_url, clock, tmp_path) as built:
        yield built
