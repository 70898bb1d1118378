"""The command `mymozhem app dev`."""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click

from mymozhem.config import Settings


@click.command("dev")
@click.argument("plugin", default=".")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0 for any.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the data, which are kept. Default: a temporary folder.",
)
@click.option(
    "--phones",
    type=click.IntRange(0, 100),
    default=5,
    show_default=True,
    help="Number of simulated participants.",
)
@click.option("--play", is_flag=True, help="Participants try every action automatically.")
def dev_command(
    plugin: str, port: int | None, data_dir: Path | None, phones: int, *, play: bool
) -> None:
    """Try an app in a room, with simulated participants.

    PLUGIN is the folder of the app's project, or the id of an installed app. Default: the current
    folder. The host listens on this machine only, and uses a separate database. It creates and
    starts a room with sample settings, in which simulated participants answer every window with
    valid input; type p to make them try the app's actions. Every hook call is printed with its
    request, and with its effects, refusal or error. If a file changes, the app is reloaded and the
    room continues; if the manifest changes, a new room starts.

    \b
    Examples:
      mymozhem app dev
      mymozhem app dev auction --port 8080 --play
      mymozhem app dev ~/apps/auction --data-dir ~/apps/auction/data
    """
    from mymozhem.demo.host_process import free_port
    from mymozhem.devtools.app_source import find_source
    from mymozhem.devtools.dev_server import DevServer

    from .preflight import require_free

    source = find_source(plugin)
    wanted = Settings().port if port is None else port
    chosen = wanted or free_port()
    require_free("127.0.0.1", chosen)
    with ExitStack() as stack:
        if data_dir is None:
            data_dir = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="mymozhem-dev-"))
            )
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        click.echo(f"Trying {source.app_id}: {source.code} (stop it with Ctrl+C)")
        bench = DevServer(source, data_dir.resolve(), port=chosen, people=phones, play=play)
        asyncio.run(bench.run())
