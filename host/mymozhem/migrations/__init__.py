"""The steps from one version of the database to the next, and the proof that they match the models.

A new step is written by comparing the models with a scratch database at the latest one::

    python -m mymozhem.migrations "rooms have a picture"
    ruff format host/mymozhem/migrations && ruff check --fix host/mymozhem/migrations
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Dialect, MetaData, Table, inspect, text

from mymozhem.db.all_tables import import_tables
from mymozhem.db.engine import create_engine

HERE = Path(__file__).parent
MIGRATION_LOCK = 0x6D796D6F  # any number of our own: "mymo"

_T = TypeVar("_T")


class BrokenReferences(RuntimeError):
    """A migration left rows that refer to nothing; it was rolled back."""


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database up to a revision, all steps in one transaction; safe to repeat.

    Two hosts that start together take turns. Raises `BrokenReferences` when a step of SQLite, where
    foreign keys cannot be enforced meanwhile, would leave rows that refer to nothing.
    """
    await _migrate(url, lambda config: command.upgrade(config, revision))


async def downgrade(url: str, revision: str = "base") -> None:
    """Take a database back to a revision; what later revisions added is lost."""
    await _migrate(url, lambda config: command.downgrade(config, revision))


async def current(url: str) -> str | None:
    """Return the revision at which a database stands, `None` when it was never migrated."""
    return await _inspect(url, lambda connection: _context(connection).get_current_revision())


def head() -> str | None:
    """Return the latest revision there is, `None` before the first."""
    return ScriptDirectory.from_config(make_config()).get_current_head()


async def check_drift(url: str) -> list[str]:
    """Return how a database differs from the models, a sentence each; empty when it does not."""
    return await _inspect(url, differences)


def differences(connection: Connection) -> list[str]:
    """Compare tables, columns, types, keys, indexes and checks with the models."""
    metadata = import_tables()
    found = [str(each) for each in compare_metadata(_context(connection), metadata)]
    return found + _check_differences(connection, metadata)


def make_config(connection: Connection | None = None) -> Config:
    """Make Alembic's configuration in code, since an installed wheel has no alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def _migrate(url: str, step: Callable[[Config], None]) -> None:
    engine = create_engine(url, migrating=True)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(lambda sync: _take_turn(sync, step))
    finally:
        await engine.dispose()


def _take_turn(connection: Connection, step: Callable[[Config], None]) -> None:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        connection.exec_driver_sql("SELECT 1")  # BEGIN IMMEDIATE comes with it, and is the turn
    else:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    step(make_config(connection))
    if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        message = f"{len(broken)} rows refer to nothing after the migration; first: {broken[0]}"
        raise BrokenReferences(message)


async def _inspect(url: str, look: Callable[[Connection], _T]) -> _T:
    engine = create_engine(url, readonly=True)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


def _context(connection: Connection) -> MigrationContext:
    options = {"compare_type": True, "compare_server_default": True}
    return MigrationContext.configure(connection, opts=options)


def _check_differences(connection: Connection, metadata: MetaData) -> list[str]:
    """Compare CHECK constraints, which Alembic leaves out; texts only where kept as written."""
    inspector = inspect(connection)
    verbatim = connection.dialect.name == "sqlite"  # PostgreSQL rewrites them
    present = set(inspector.get_table_names())
    found = []
    for table in metadata.sorted_tables:
        if table.name not in present:
            continue
        expected = _checks_of(table, connection.dialect)
        reflected = inspector.get_check_constraints(table.name)
        actual = {str(each["name"]): str(each["sqltext"]) for each in reflected}
        found += [f"check {name} is missing" for name in sorted(expected.keys() - actual)]
        found += [f"check {name} is not in the models" for name in sorted(actual.keys() - expected)]
        both = sorted(expected.keys() & actual) if verbatim else []
        found += [f"check {name} differs" for name in both if expected[name] != actual[name]]
    return found


def _checks_of(table: Table, dialect: Dialect) -> dict[str, str]:
    """Return the name and text of every check of a table, as its DDL has them."""
    naming = dialect.identifier_preparer
    ddl = {"literal_binds": True, "include_table": False}
    return {
        str(naming.format_constraint(each)).strip('"'): str(
            each.sqltext.compile(dialect=dialect, compile_kwargs=ddl)
        )
        for each in table.constraints
        if isinstance(each, CheckConstraint)
    }
