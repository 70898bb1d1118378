"""Read the schema revision of a database without Alembic, which every start does."""

from sqlalchemy import Connection, text

from .engine import create_engine

HEAD = "0017"
"""The newest revision; a test compares it with the migrations."""


async def current(url: str) -> str | None:
    """Return the revision of a database, `None` if it was never migrated."""
    engine = create_engine(url, readonly=True)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_current)
    finally:
        await engine.dispose()


def _current(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
