"""A street for each test, on either database."""

import pytest

from tests.support.apps.versioned_app import open_versioned_host


@pytest.fixture
async def versioned_host(database, clock, tmp_path):
    opened = await open_versioned_host(database, clock, tmp_path)
    yield opened
    await opened.host.services.dispatcher.close()
