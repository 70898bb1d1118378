"""A post office on each database."""

import pytest

from mymozhem.clock import Clock
from mymozhem.db.unit_of_work import Database
from tests.support.relay_host import RelayHost


@pytest.fixture
def post(database: Database, clock: Clock) -> RelayHost:
    return RelayHost(database, clock)
