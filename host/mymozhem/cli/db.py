"""Commands about the database."""

import asyncio
from datetime import datetime

import click

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.errors import MymozhemError

#: maximum number of rooms that are named if an upgrade is refused
MOST_NAMED = 20


@click.group("db")
def db_group() -> None:
    """Show or upgrade the schema of the database."""


@db_group.command("upgrade")
@click.option("--anyway", is_flag=True, help="Upgrade although rooms run, or soon will.")
def upgrade_command(*, anyway: bool) -> None:
    """Upgrade the database to the newest schema; idempotent.

    If the database is a SQLite file, stop the host first. Without --anyway, the database is not
    changed while a room is ACTIVE, or a timer or a draw is due within 24 hours.

    \b
    Examples:
      mymozhem db upgrade
      MYMOZHEM_DATABASE_URL=postgresql://localhost/mymozhem mymozhem db upgrade
    """
    try:
        before, after = asyncio.run(_upgrade(Settings(), anyway=anyway))
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
    if before == after:
        click.echo(f"The database is at the newest schema already ({after}).")
    else:
        click.echo(f"The database was upgraded from {before or 'nothing'} to {after}.")


@db_group.command("current")
def current_command() -> None:
    """Print the schema revision of the configured database.

    \b
    Example:
      mymozhem db current
    """
    from mymozhem.migrations import current, head

    found = asyncio.run(current(Settings().effective_database_url))
    newest = head()
    suffix = "" if found == newest else f" (newest: {newest})"
    click.echo(f"{found or 'nothing'}{suffix}")


async def _upgrade(settings: Settings, *, anyway: bool) -> tuple[str | None, str | None]:
    from mymozhem.db.unit_of_work import Database
    from mymozhem.migrations import current, head, upgrade

    url = settings.effective_database_url
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Opening takes the process lock, so that no host can start on the file meanwhile.
    database = Database(url, clock=SystemClock())
    await database.open()
    try:
        before = await current(url)
        if before not in {None, head()} and not anyway:
            await _require_no_running_rooms(url, await database.now())
        await upgrade(url)
        return before, await current(url)
    finally:
        await database.close()


async def _require_no_running_rooms(url: str, now: datetime) -> None:
    from .upgrade_guard import busy_rooms

    busy = await busy_rooms(url, now)
    if not busy:
        return
    named = [f"  {room.sentence()}" for room in busy[:MOST_NAMED]]
    if len(busy) > MOST_NAMED:
        named.append(f"  and {len(busy) - MOST_NAMED} more")
    count = "a room runs" if len(busy) == 1 else f"{len(busy)} rooms run"
    first = f"Nothing was changed: {count}, or will within 24 hours."
    advice = "Wait until they are over, or make a backup and type `mymozhem db upgrade --anyway`."
    raise click.ClickException("\n".join([first, *named, advice]))
