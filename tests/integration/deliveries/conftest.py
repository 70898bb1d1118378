"""A post office on each database."""

import pytest

from mymozhem.clock import Clock
from mymozhem.db.unit_of_work import Database
from tests.support.relay_host import Post


@pytest.fixture
def post(database: Database, clock: Clock) -> Post:
    return Post(database, clock)
