"""The command that says whether an app is fit to ship."""

import json
import sys
from typing import Literal

import click


@click.command("check")
@click.argument("plugin", default=".")
@click.option("--strict", is_flag=True, help="Take remarks for problems.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check_command(plugin: str, form: Literal["text", "json"], *, strict: bool) -> None:
    """Say whether an app is fit to ship, and what is to be mended.

    PLUGIN is a folder with the app's project, or the id of an installed app; this folder when left
    out. Looked at are the manifest, the contract (the app is played, asked and broken, inside the
    host and as a web service), the app's own tests, and whether strangers can know what it does:
    texts, translations, README, changes. The exit status is 0 only where it is fit.

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
