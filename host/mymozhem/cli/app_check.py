"""The command `mymozhem app check`."""

import json
import sys
from pathlib import Path
from typing import Literal

import click

from .app_remote import remote_of, remote_options


@click.command("check")
@click.argument("plugin", default=".")
@click.option("--strict", is_flag=True, help="Only an app of the highest level is ready.")
@remote_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check_command(
    plugin: str,
    form: Literal["text", "json"],
    *,
    strict: bool,
    url: str | None,
    manifest: Path,
    secret: str | None,
) -> None:
    """Check whether an app is ready to ship, and what to fix.

    PLUGIN is the folder of the app's project, or the id of an installed app. Default: the current
    folder. Checks the manifest, the contract (the app is called with valid and invalid requests,
    in-process and as a web service, in several orders of actions), the app's own tests, and the
    documents for users: texts, translations, README, changelog.

    The result is a level, computed from what was found: 0 broken, 1 sound (nothing that was tried
    is broken), 2 explored (everything that the app declares was reached), 3 complete (there are no
    remarks). The exit status is 0 only if the app is ready: from level 1 on, with --strict at level
    3.

    With --url, the app is a web service that runs already, in any language.

    \b
    Examples:
      mymozhem app check
      mymozhem app check ~/apps/auction --strict
      mymozhem app check auction --format json
      MYMOZHEM_APP_SECRET=whsec_… mymozhem app check --url http://127.0.0.1:9001
    """
    from mymozhem.devtools.app_source import find_source
    from mymozhem.devtools.check import check
    from mymozhem.devtools.check_remote import check_remote

    if url is not None:
        verdict = check_remote(remote_of(url, secret, manifest), strict=strict)
    else:
        verdict = check(find_source(plugin), strict=strict)
    if form == "json":
        click.echo(json.dumps(verdict.as_json(), ensure_ascii=False))
    else:
        click.echo(verdict.as_text())
    sys.exit(0 if verdict.fit else 1)
