"""The command `mymozhem app check`."""

import json
import sys
from typing import Literal

import click


@click.command("check")
@click.argument("plugin", default=".")
@click.option("--strict", is_flag=True, help="Treat remarks as problems.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check_command(plugin: str, form: Literal["text", "json"], *, strict: bool) -> None:
    """Check whether an app is ready to ship, and what to fix.

    PLUGIN is the folder of the app's project, or the id of an installed app. Default: the current
    folder. Checks the manifest, the contract (the app is called with valid and invalid requests,
    in-process and as a web service), the app's own tests, and the documents for users: texts,
    translations, README, changelog. The exit status is 0 only if the app is ready.

    \b
    Examples:
      mymozhem app check
      mymozhem app check ~/apps/auction --strict
      mymozhem app check auction --format json
    """
    from mymozhem.devtools.app_source import find_source
    from mymozhem.devtools.check import check

    verdict = check(find_source(plugin), strict=strict)
    if form == "json":
        click.echo(json.dumps(verdict.as_json(), ensure_ascii=False))
    else:
        click.echo(verdict.as_text())
    sys.exit(0 if verdict.fit else 1)
