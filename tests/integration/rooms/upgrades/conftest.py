"""A street for each test, on either database."""

import pytest

from tests.support.apps.versioned_app import open_street


@pytest.fixture
async def street(database, clock, tmp_path):
    opened = await open_street(database, clock, tmp_path)
    yield opened
    await opened.house.services.dispatcher.close()
