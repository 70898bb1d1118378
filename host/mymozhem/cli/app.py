"""Commands for authors of apps: create, try, check and serve an app."""

import importlib
import json
import logging
import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING

import click

from mymozhem.config import http_url
from mymozhem.contract import JsonObject
from mymozhem.errors import MymozhemError

from .app_check import check_command
from .app_dev import dev_command
from .app_new import new_command

if TYPE_CHECKING:
    from mymozhem.contract.serve import Endpoint

#: how long open requests may continue after the signal to stop
GRACE_SECONDS = 5
#: longer than the platform keeps an idle connection, so that it never uses a closed one
KEEP_ALIVE_SECONDS = 75


@click.group("app")
def app_group() -> None:
    """Create, try, check and serve an app."""


app_group.add_command(new_command)
app_group.add_command(dev_command)
app_group.add_command(check_command)


@app_group.command("serve")
@click.argument("plugin")
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=9001, help="Port to listen on; 0 for any."
)
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    envvar="MYMOZHEM_APP_SECRET",
    metavar="whsec_…",
    help="Secret from the platform; give both during a grace period. Better set it in the variable "
    "MYMOZHEM_APP_SECRET, because process lists show options.",
)
@click.option(
    "--public-key",
    "public_keys",
    multiple=True,
    metavar="whpk_…",
    help="Public key of the platform, instead of a secret or in addition.",
)
@click.option("--base-url", help="Address at which the platform reaches the app: https://…")
@click.option("--path", default="/hooks", help="Path of the webhooks in the manifest.")
@click.option("--manifest", is_flag=True, help="Print the manifest to register, and do not serve.")
def serve_command(
    plugin: str,
    host: str,
    port: int,
    secrets: tuple[str, ...],
    public_keys: tuple[str, ...],
    base_url: str | None,
    path: str,
    *,
    manifest: bool,
) -> None:
    """Serve the app PLUGIN as a signed web service.

    PLUGIN is a folder with a project, the id of an installed app, the name of a module, or
    MODULE:ATTRIBUTE; the app's code need not change. To add the app to a platform, register the
    manifest that --manifest prints (`mymozhem apps register`, or POST /apps), and start with the
    secret that the platform returns. The platform calls apps on other machines over https only: put
    a proxy with TLS in front of this server.

    \b
    Examples:
      mymozhem app serve .
      mymozhem app serve auction --base-url https://auction.example.org --manifest
      MYMOZHEM_APP_SECRET=whsec_… mymozhem app serve auction
      mymozhem app serve my_package.bids:app --port 9002
    """
    from mymozhem.contract.signing import new_secret

    name, app = _load(plugin)
    if manifest:
        document = _remote(name, app, base_url or http_url(host, port), path)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    keys = (*secrets, *public_keys)
    fresh = None if keys else new_secret()
    endpoint = _endpoint(app, (fresh,) if fresh else keys)
    listening = _listen(host, port)
    if fresh:
        _tell_secret(plugin, fresh)
    sys.exit(_run(endpoint, plugin, host, listening))


def _load(plugin: str) -> tuple[str | None, object]:
    """Return the id of an app, and the app; the id is None if the app is not installed."""
    from mymozhem.devtools.app_source import find_source, is_project
    from mymozhem.registry import discovery

    found = discovery.by_id(discovery.discover()).get(plugin, ())
    if len(found) > 1:
        names = ", ".join(each.distribution for each in found)
        raise click.ClickException(f"Several packages provide {plugin!r} ({names}); name a module.")
    try:
        if is_project(plugin):
            source = find_source(plugin)
            sys.path.insert(0, str(source.search))
            return source.app_id, _imported(source.value)
        if found:
            return plugin, found[0].entry_point.load()
        return None, _imported(plugin)
    except click.ClickException:
        raise
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
    except Exception as error:
        traceback.print_exc()  # shows the author the line
        raise click.ClickException(f"{plugin} could not be imported; see above.") from error


def _imported(plugin: str) -> object:
    module, _, attribute = plugin.partition(":")
    sys.path.insert(0, os.getcwd())  # noqa: PTH109  a text, as `python -m` has it
    try:
        app: object = importlib.import_module(module)
        for each in attribute.split(".") if attribute else ():
            app = getattr(app, each)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        message = f"No app is installed as {plugin!r}, and there is no module {module!r}."
        raise click.ClickException(message) from error
    except AttributeError as error:
        if not attribute:
            raise
        raise click.ClickException(f"{module} has no {attribute!r}.") from error
    return app


def _endpoint(app: object, keys: tuple[str, ...]) -> "Endpoint":
    from mymozhem.contract.serve import NotServable, serve
    from mymozhem.contract.signing import KeyRefused

    try:
        return serve(app, keys=keys)
    except NotServable as error:
        raise click.ClickException(f"This is not an app: {error}.") from error
    except KeyRefused as error:
        raise click.ClickException(f"This is not a key: {error}.") from error


def _tell_secret(plugin: str, secret: str) -> None:
    click.echo(
        f"No secret was given, and no platform knows this new one:\n  {secret}\n"
        "To try the app by hand, sign with it. To give the app to a platform:\n"
        f"  1. mymozhem app serve {plugin} --base-url https://… --manifest\n"
        "  2. have its operator register that: mymozhem apps register FILE, or POST /apps; the "
        "answer holds the secret, appSecret\n"
        f"  3. MYMOZHEM_APP_SECRET=whsec_… mymozhem app serve {plugin}",
        err=True,
    )


def _remote(name: str | None, app: object, base_url: str, path: str) -> JsonObject:
    from mymozhem.contract.serve import NotServable, manifest_of, remote_manifest
    from mymozhem.manifests.validate import validate_manifest

    try:
        own = manifest_of(app)
    except NotServable as error:
        raise click.ClickException(f"This is not an app: {error}.") from error
    document = remote_manifest({"id": name, **own} if name else own, base_url, path=path)
    report = validate_manifest(document)
    if report.problems:
        problems = (f"manifest {each.sentence}" for each in report.problems)
        raise click.ClickException("; ".join(problems))
    return document


def _run(endpoint: "Endpoint", plugin: str, host: str, listening: socket.socket) -> int:
    """Serve until a signal; return the exit status."""
    from uvicorn import Config

    from mymozhem.api.http_protocol import HttpLimits, guard
    from mymozhem.cli.open_files import possible_connections
    from mymozhem.cli.process_end import HostServer, ProcessEnd
    from mymozhem.cli.serve import stop_on_signals

    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = Config(
        endpoint,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    guard(config, HttpLimits(connections=possible_connections(HttpLimits.connections)))
    end = ProcessEnd()
    server = HostServer(config, end)
    stop_on_signals(server, end)
    where = http_url(host, listening.getsockname()[1])
    click.echo(f"{plugin} listens at {where} (stop it with Ctrl+C)")
    with listening:
        server.run(sockets=[listening])
    status = 0 if server.started else 1
    end.closed(status)
    return status


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        message = f"Cannot listen at {http_url(host, port)}: {error.strerror or error}."
        raise click.ClickException(message) from error
