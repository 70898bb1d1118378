"""An address names the engine, and the driver is ours to choose."""

import pytest

from mymozhem.db.engine import create_engine, parse_url

pytestmark = pytest.mark.both_engines


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///file.sqlite3", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite:////data/file.sqlite3", "sqlite+aiosqlite"),
        ("postgres://user@host/name", "postgresql+asyncpg"),
        ("postgresql://user@host/name", "postgresql+asyncpg"),
        ("postgresql+psycopg://user@host/name", "postgresql+asyncpg"),
    ],
)
def test_each_engine_has_its_driver(url, driver):
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://host/name", "not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
    ],
)
def test_any_other_database_is_refused_with_a_sentence(url, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_url(url)


def test_an_engine_hides_what_people_entered_from_its_errors():
    for url in ("sqlite:///file.sqlite3", "postgresql://user@host/name"):
        assert create_engine(url).sync_engine.hide_parameters
