"""The command `mymozhem demo`."""

import asyncio
import sys
from pathlib import Path

import click

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError


@click.command("demo")
@click.option("--script", is_flag=True, help="Play the scripted event of every app, and exit.")
@click.option(
    "--people",
    type=click.IntRange(12, 2_000),
    help="Number of participants in scripted events that anybody can join. Default: 200.",
)
@click.option("--host", help="Address to listen on. Default: 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the demo's data. Default: `demo` in the data folder.",
)
def demo_command(
    *,
    script: bool,
    people: int | None,
    host: str | None,
    port: int | None,
    data_dir: Path | None,
) -> None:
    """Run the platform with demo data, or play a scripted event.

    Every installed app is enabled, and demo logins are printed. The data are in a separate folder;
    delete the folder to start again. The database is a SQLite file in it: the demo does not use
    MYMOZHEM_DATABASE_URL. With --script, a host starts on a fresh folder, the apps play
    an event over HTTP, the draws are verified offline, and the exit status is 0 only if every check
    passes.

    \b
    Examples:
      mymozhem demo
      mymozhem demo --port 8080
      mymozhem demo --script
      mymozhem demo --script --people 50
    """
    from .preflight import tell_own_database

    tell_own_database("demo")
    if script:
        _play(people)
    else:
        given = {"host": host, "port": port}
        _serve(data_dir, {name: value for name, value in given.items() if value is not None})


def _play(people: int | None) -> None:
    from rich.console import Console

    from mymozhem.contract.demo import DemoFailed
    from mymozhem.demo.http_evening import CROWD
    from mymozhem.demo.scenario import play_script

    console, app_ids = Console(highlight=False), _app_ids(Settings())
    try:
        asyncio.run(play_script(console, app_ids, crowd=people or CROWD))
    except DemoFailed as error:
        raise click.ClickException(str(error)) from error


def _serve(data_dir: Path | None, given: dict[str, object]) -> None:
    from mymozhem.cli.preflight import require_startable
    from mymozhem.cli.serve import run
    from mymozhem.contract.demo import DemoFailed
    from mymozhem.demo.setup import prepare
    from mymozhem.demo.startup_message import startup_message

    configured = Settings()
    folder = data_dir or configured.data_dir / "demo"
    settings = configured.model_copy(
        update={
            "data_dir": folder,
            "database_url": None,
            "environment": "demo",
            "enable_apps": _app_ids(configured),
            **given,
        }
    )
    require_startable(settings)
    try:
        house = asyncio.run(prepare(settings))
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
    except DemoFailed as error:
        raise click.ClickException(str(error)) from error
    click.echo(startup_message(settings, house, command=_own_command()))
    sys.exit(run(settings))


def _app_ids(settings: Settings) -> tuple[str, ...]:
    """Return the enabled apps; if none is enabled, every installed app: this is a demo."""
    from mymozhem.registry.discovery import by_id, discover

    return settings.enable_apps or tuple(by_id(discover()))


def _own_command() -> str:
    """Return how this program was called, so that printed commands can be copied."""
    called = Path(sys.argv[0])
    return str(called.absolute()) if called.name == "mymozhem" else "mymozhem"
