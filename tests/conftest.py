"""Fixtures of all tests: a held clock, and a database of the test's own on either engine.

A test that asks for `database_url` or `database` runs on SQLite, and also on PostgreSQL if its
module is marked `both_engines` (see `tests/support/dialects.py`). To run on one engine only, mark
it `@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)`. PostgreSQL is the one of
MYMOZHEM_TEST_POSTGRES_URL (`embedded` for pip's), else the local one, else pip's. Without any the
test is skipped, and with MYMOZHEM_TEST_STRICT=1 it fails.
"""

import gc
import os
import subprocess
import tempfile
from asyncio import AbstractEventLoop, SelectorEventLoop
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from mymozhem.clock import Clock, HeldClock
from mymozhem.db.all_tables import import_tables
from mymozhem.db.unit_of_work import Database
from tests.support.databases import PostgresTemplate, SqliteTemplate, postgres_server
from tests.support.dialects import dialects_of
from tests.support.engine_tuning import ENGINE_TUNING
from tests.support.own_user import OWN_USER
from tests.support.timing import LoadTolerantLoop

ENGINE_TUNING.install()

# Isolated code runs as the tests' own user, even if that is root: no other one can be expected to
# run the interpreter of the tests. Tests of separate users set their own.
os.environ["MYMOZHEM_ISOLATED_USER"] = OWN_USER

# An example has no time limit: the first one builds the models that the others find.
hypothesis.settings.register_profile("mymozhem", deadline=None)
hypothesis.settings.load_profile("mymozhem")

#: what takes longest is begun first, so that no worker is left alone with it at the end
LONGEST = (
    "tests/test_docs.py",
    "tests/integration/test_side_by_side.py",
    "tests/integration/registry/test_isolated.py",
    "tests/integration/test_demo.py",
    "tests/integration/devtools",
    "tests/faults",
    "tests/api/test_access.py",
    "tests/contract",
    "tests/integration/testing",
    "tests/api",
    "tests/integration",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    dialects = dialects_of(metafunc)
    if dialects is not None and "transport" not in metafunc.fixturenames:
        metafunc.parametrize("dialect", dialects, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)


def pytest_collection_finish() -> None:
    """Look for garbage less often, never among what stays: an eighth of the time of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """Run tests on an event loop that tolerates load, unless they are marked `real_time`."""
    is_real = item.get_closest_marker("real_time") is not None
    return {"real": SelectorEventLoop} if is_real else {"patient": LoadTolerantLoop}


def _place(item: pytest.Item) -> int:
    found = (place for place, start in enumerate(LONGEST) if item.nodeid.startswith(start))
    return next(found, len(LONGEST))


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still; override it where the machine's own is meant."""
    return HeldClock()


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    """The engine; `pytest_generate_tests` chooses."""
    return str(request.param)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate(tmp_path_factory.mktemp("template"), import_tables())


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[PostgresTemplate]:
    template = PostgresTemplate(postgres, import_tables())
    yield template
    template.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server; one that pip brought is shared by parallel workers."""
    # Not under pytest's folder, which only its owner may enter: that server has a user of its own.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}"
    folder = Path(tempfile.gettempdir()) / f"mymozhem-pg-{run}"
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgres_server(folder))
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            strict = os.environ.get("MYMOZHEM_TEST_STRICT") == "1"
            (pytest.fail if strict else pytest.skip)(f"no PostgreSQL to test on: {error}")
        yield server


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh database with every table, dropped after the test."""
    if dialect == "sqlite":
        with request.getfixturevalue("sqlite_template").copy(tmp_path) as url:
            yield url
        return
    with request.getfixturevalue("postgres_template").copy() as url:
        yield url


@pytest.fixture
async def database(database_url: str, clock: Clock) -> AsyncIterator[Database]:
    """An opened database of the test's own."""
    database = Database(database_url, clock=clock)
    await database.open()
    yield database
    await database.close()
