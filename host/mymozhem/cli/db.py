"""Commands about the database."""

import asyncio

import click

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.errors import MymozhemError


@click.group("db")
def db_group() -> None:
    """Bring the database to the newest schema."""


@db_group.command("upgrade")
def upgrade_command() -> None:
    """Bring the configured database to the newest schema; nothing happens where it is there.

    The host that uses a SQLite file must be stopped first.

    \b
    Examples:
      mymozhem db upgrade
      MYMOZHEM_DATABASE_URL=postgresql://localhost/mymozhem mymozhem db upgrade
    """
    try:
        before, after = asyncio.run(_upgrade(Settings()))
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
    if before == after:
        click.echo(f"The database is at the newest schema already ({after}).")
    else:
        click.echo(f"The database went from {before or 'nothing'} to {after}.")


@db_group.command("current")
def current_command() -> None:
    """Print the schema that the configured database is at.

    \b
    Example:
      mymozhem db current
    """
    from mymozhem.migrations import current, head

    found = asyncio.run(current(Settings().effective_database_url))
    newest = head()
    suffix = "" if found == newest else f" (newest: {newest})"
    click.echo(f"{found or 'nothing'}{suffix}")


async def _upgrade(settings: Settings) -> tuple[str | None, str | None]:
    from mymozhem.db.uow import Database
    from mymozhem.migrations import current, upgrade

    url = settings.effective_database_url
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Opening takes the process lock, so that no host runs on the file meanwhile.
    database = Database(url, clock=SystemClock())
    await database.open()
    try:
        before = await current(url)
        await upgrade(url)
        return before, await current(url)
    finally:
        await database.close()
