"""The options that name a running service instead of a plugin."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from mymozhem.devtools.remote_plugin import RemoteApp

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--url", help="Address of a running app in any language, such as http://…:9001."),
    click.option(
        "--manifest",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("manifest.json"),
        show_default=True,
        help="With --url: the file with the app's manifest.",
    ),
    click.option(
        "--secret",
        envvar="MYMOZHEM_APP_SECRET",
        metavar="whsec_…",
        help="With --url: the secret with which the app verifies calls. Better set it in the "
        "variable MYMOZHEM_APP_SECRET.",
    ),
)


def remote_options(command: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def remote_of(url: str, secret: str | None, manifest: Path) -> "RemoteApp":
    """Return the service that the options name; raises `ClickException` if one is missing."""
    from mymozhem.devtools.remote_plugin import RemoteApp

    if secret is None:
        raise click.UsageError("Give the app's secret: set MYMOZHEM_APP_SECRET.")
    if not manifest.is_file():
        raise click.UsageError(f"There is no manifest {manifest}: name it with --manifest.")
    return RemoteApp(url, secret, manifest.resolve())
