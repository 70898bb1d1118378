"""The command `mymozhem serve`."""

import asyncio
import gc
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from mymozhem.config import Settings

if TYPE_CHECKING:
    from uvicorn import Config, Server

    from .process_end import ProcessEnd

#: how long requests may continue after the signal to stop
GRACE_SECONDS = 10


@click.command("serve")
@click.option("--host", help="Address to listen on; 0.0.0.0 for every network of the machine.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0 for any.")
@click.option("--public-url", help="Address at which users reach this host.")
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder of the data."
)
@click.option(
    "--database-url", help="sqlite:///… or postgresql://… Default: a file in the data folder."
)
@click.option("--enable-apps", help="Ids of apps that may run in this process, comma-separated.")
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
def serve_command(**options: object) -> None:
    """Run the platform until it is stopped.

    Options override the MYMOZHEM_* variables. If the database does not exist, a SQLite file is
    created; a database of another version is not changed: upgrade it first.

    \b
    Examples:
      mymozhem serve
      mymozhem serve --host 0.0.0.0 --port 8080 --public-url https://events.example.org
      mymozhem serve --database-url postgresql://localhost/mymozhem --log-format json
    """
    from .preflight import require_startable

    settings = _settings(options)
    require_startable(settings)
    with _lasting():
        _load_structlog()
        asyncio.run(_prepare(settings))
    sys.exit(run(settings))


def run(settings: Settings) -> int:
    """Serve until a signal; return the exit status."""
    from mymozhem.observability.logging import configure_logging

    from .loop_watchdog import LoopWatchdog
    from .process_end import HostServer, ProcessEnd

    configure_logging(settings)
    end = ProcessEnd()
    with _lasting():
        config = config_of(settings, connections=_connections(settings))
        server = HostServer(config, end, LoopWatchdog(settings))
    stop_on_signals(server, end)
    click.echo(f"mymozhem is starting at {settings.effective_public_url} (stop it with Ctrl+C)")
    server.run()
    status = 0 if server.started else 1
    end.closed(status)
    return status


def stop_on_signals(server: "Server", end: "ProcessEnd") -> None:
    """Let a signal stop a server, also before it runs; uvicorn handles signals while it runs.

    After a graceful stop, uvicorn sends itself the signal again, which this handler ignores.
    """

    def stop(*_: object) -> None:
        end.begin()
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def config_of(settings: Settings, *, connections: int | None = None) -> "Config":
    """Return the configuration of uvicorn for a host; `connections` overrides the setting."""
    from uvicorn import Config

    from mymozhem.api.http_protocol import HttpLimits, guard
    from mymozhem.app import create_app

    config = Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    limits = HttpLimits(
        head_bytes=settings.max_head_bytes,
        header_lines=settings.max_header_lines,
        head_seconds=settings.head_seconds,
        body_seconds=settings.body_seconds,
        connections=connections or settings.max_connections,
        connections_per_address=settings.max_connections_per_address,
    )
    guard(config, limits)
    return config


def _connections(settings: Settings) -> int:
    """Return how many connections the system allows; warn if it is less than the setting."""
    from mymozhem.cli.open_files import possible_connections

    wanted = settings.max_connections
    possible = possible_connections(wanted)
    if possible < wanted:
        click.echo(
            f"The system allows {possible} connections, and MYMOZHEM_MAX_CONNECTIONS is {wanted}: "
            "raise the limit of open files (ulimit -Hn, or LimitNOFILE of the service).",
            err=True,
        )
    return possible


@contextmanager
def _lasting() -> Iterator[None]:
    """Run a block whose objects live as long as the process: the garbage collector skips them."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _load_structlog() -> None:
    """Load structlog without rich, which it would load for tracebacks that the host never prints.

    None in `sys.modules` makes an import fail as if the module was not installed.
    """
    if "rich" in sys.modules or "structlog" in sys.modules:
        return
    modules: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]  # it takes None
    modules["rich"] = None
    try:
        import_module("structlog")
    finally:
        del modules["rich"]


async def _prepare(settings: Settings) -> None:
    """Create a SQLite database that does not exist; refuse a database of another version."""
    from mymozhem.db.schema_revision import HEAD, current

    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = settings.effective_database_url
    revision = await current(url)
    if revision is None and url.startswith("sqlite"):
        from mymozhem.migrations import upgrade

        await upgrade(url)
    elif revision != HEAD:
        raise click.ClickException(
            "The database is not at the newest schema: type `mymozhem db upgrade`, then start "
            "again."
        )


def _settings(options: dict[str, object]) -> Settings:
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # read by click
    except ValidationError as error:
        raise click.ClickException(_sentences(error)) from error


def _sentences(error: ValidationError) -> str:
    parts: Sequence[str] = [
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
    ]
    return "; ".join(parts)
