"""A house and a crowd for it: one process, or two that share a database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock
from mymozhem.contract import PersonKind
from mymozhem.db.unit_of_work import Database
from tests.faults.race import Children, Crowd, OneProcess, TwoProcesses, services_of
from tests.support.host import HostHarness
from tests.support.timing import LoadTolerantClock


@pytest.fixture
def clock() -> Clock:
    return LoadTolerantClock()


@pytest.fixture(scope="module")
def children() -> Iterator[Children]:
    with Children() as children:
        yield children


@pytest.fixture
async def host(database: Database, tmp_path: Path) -> AsyncIterator[HostHarness]:
    services = await services_of(database, tmp_path)
    host = HostHarness(services, Principal("", PersonKind.REGISTERED, None, "token"))
    host.organizer = await host.person("organizer@example.com")
    yield host
    await services.dispatcher.close()


@pytest.fixture
def crowd(
    host: HostHarness,
    processes: int,
    database_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Crowd:
    if processes == 1:
        return OneProcess(host.services)
    return TwoProcesses(request.getfixturevalue("children"), database_url, tmp_path)
