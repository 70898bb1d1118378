"""Databases with one small table of these tests' own, instead of the host's."""

from collections.abc import Iterator

import pytest

from tests.integration.db.tables import Own
from tests.support.databases import PostgresTemplate, SqliteTemplate
from tests.support.engine_tuning import ENGINE_TUNING


@pytest.fixture
def waiting_for_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite wait for the disk, as it does outside of tests."""
    monkeypatch.setattr(ENGINE_TUNING, "waits_for_disk", True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    return SqliteTemplate(tmp_path_factory.mktemp("template"), Own.metadata)


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> Iterator[PostgresTemplate]:
    template = PostgresTemplate(postgres, Own.metadata)
    yield template
    template.close()
