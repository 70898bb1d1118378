"""Opens the configured database for a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.migrations import current, head, upgrade


@asynccontextmanager
async def opened_database(settings: Settings, *, exclusive: bool) -> AsyncIterator[Database]:
    """Open the configured database; create the tables of an empty one first.

    With `exclusive`, raises `AlreadyRunning` if a host runs on the same SQLite file. Raises
    `ClickException` if the database belongs to another version of the platform.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = settings.effective_database_url
    revision = await current(url)
    if revision is None:
        await upgrade(url)
    elif revision != head():
        raise click.ClickException(
            "The database belongs to another version: type `mymozhem db upgrade`, then try again."
        )
    database = Database(url, clock=SystemClock())
    await database.open(exclusive=exclusive)
    try:
        yield database
    finally:
        await database.close()
