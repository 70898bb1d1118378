"""The command `mymozhem app dev`."""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mymozhem.config import Settings

from .app_remote import remote_of, remote_options

if TYPE_CHECKING:
    from mymozhem.devtools.app_source import AppSource
    from mymozhem.devtools.remote_plugin import RemoteApp


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
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON file with a scenario, which is played after each start.",
)
@click.option("--full", is_flag=True, help="Show calls with whole lists and texts.")
@remote_options
def dev_command(  # noqa: PLR0913  the options of the command
    plugin: str,
    port: int | None,
    data_dir: Path | None,
    phones: int,
    *,
    play: bool,
    script: Path | None,
    full: bool,
    url: str | None,
    manifest: Path,
    secret: str | None,
) -> None:
    """Try an app in a room, with simulated participants.

    PLUGIN is the folder of the app's project, or the id of an installed app. Default: the current
    folder. The host listens on this machine only, and uses a separate database, never that in
    MYMOZHEM_DATABASE_URL. It creates and
    starts a room with sample settings, in which simulated participants answer every window with
    valid input; type p to make them try the app's actions. Every hook call is printed with its
    request, and with its effects, refusal or error. If a file changes, the app is reloaded and the
    room continues; if the manifest changes, a new room starts. Connections wait during a reload.

    A scenario is a list of steps: `[{"action": "ask", "payload": {}, "by": "Ada", "answers": [{}],
    "pause": 1}]`. Without --script, type s to play the first sample room of the app's demo. With
    --url, the app is a web service that runs already, in any language.

    \b
    Examples:
      mymozhem app dev
      mymozhem app dev auction --port 8080 --play
      mymozhem app dev ~/apps/auction --data-dir ~/apps/auction/data
      mymozhem app dev --script evening.json
      MYMOZHEM_APP_SECRET=whsec_… mymozhem app dev --url http://127.0.0.1:9001
    """
    from mymozhem.demo.host_process import free_port
    from mymozhem.devtools.app_source import find_source
    from mymozhem.devtools.dev_server import DevServer, watched

    from .preflight import require_free, tell_own_database

    tell_own_database("app dev")
    source: AppSource | RemoteApp
    source = find_source(plugin) if url is None else remote_of(url, secret, manifest)
    wanted = Settings().port if port is None else port
    chosen = wanted or free_port()
    require_free("127.0.0.1", chosen)
    with ExitStack() as stack:
        if data_dir is None:
            data_dir = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="mymozhem-dev-"))
            )
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        click.echo(f"Trying {url or plugin}: {watched(source)} (stop it with Ctrl+C)")
        bench = DevServer(
            source,
            data_dir.resolve(),
            port=chosen,
            people=phones,
            play=play,
            script=script,
            full=full,
        )
        asyncio.run(bench.run())
