"""The command `mymozhem worker`: sends deliveries, without a web server."""

import asyncio
import signal

import click

from mymozhem.config import Settings


@click.command("worker")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    help="Format of the log: text, or JSON for programs.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Minimum severity.",
)
def worker_command(**options: object) -> None:
    """Send deliveries to apps, without a web server.

    On PostgreSQL any number of workers may run beside any number of hosts; each delivery is sent by
    one of them. Hosts do everything else. On SQLite the host sends its deliveries, and a worker is
    not needed.

    \b
    Examples:
      mymozhem worker
      MYMOZHEM_DELIVERIES_AT_ONCE=64 mymozhem worker --log-format json
    """
    given = {name: value for name, value in options.items() if value is not None}
    settings = Settings(**given)  # type: ignore[arg-type]  # read by click
    if settings.effective_database_url.startswith("sqlite"):
        raise click.ClickException(
            "On SQLite the host sends deliveries: run only `mymozhem serve`. "
            "Workers are for PostgreSQL; name one in MYMOZHEM_DATABASE_URL."
        )
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    from mymozhem.clock import SystemClock
    from mymozhem.db.schema_revision import HEAD, current
    from mymozhem.observability.logging import configure_logging
    from mymozhem.wiring.process import open_parts

    from .loop_watchdog import LoopWatchdog
    from .process_end import ProcessEnd

    configure_logging(settings)
    end = ProcessEnd()
    if await current(settings.effective_database_url) != HEAD:
        raise click.ClickException(
            "The database is not at the newest schema: type `mymozhem db upgrade`, then start "
            "again."
        )
    stopped = asyncio.Event()
    loop, watchdog = asyncio.get_running_loop(), LoopWatchdog(settings)
    watchdog.start()

    def stop(*_: object) -> None:
        watchdog.stop()
        end.begin()
        loop.call_soon_threadsafe(stopped.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    async with open_parts(settings, SystemClock(), exclusive=False) as parts:
        parts.carry()
        click.echo("The worker sends deliveries (stop it with Ctrl+C).")
        await stopped.wait()
    end.closed()
    click.echo("The worker has stopped.")
