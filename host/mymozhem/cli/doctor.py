"""The command that says what an event would suffer from."""

import asyncio
import json
from typing import TYPE_CHECKING, Literal

import click

from mymozhem.config import Settings

if TYPE_CHECKING:
    from .doctor_checks import Finding

_WORDS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def doctor_command(form: Literal["text", "json"]) -> None:
    """Look at the data folder, the database, and whether every room's app is there.

    Every room in DRAFT or ACTIVE is looked at: what would answer for it if the host started now,
    and if nothing would, what to do. Enabled plugins are imported for that, in this process.
    Nothing is written; a host may be running.

    Exit status: 0 an event would find everything in order, 1 it would suffer.

    \b
    Examples:
      mymozhem doctor
      mymozhem doctor --format json
    """
    from .doctor_checks import run_checks

    findings = asyncio.run(run_checks(Settings()))
    suffers = any(finding.level == "problem" for finding in findings)
    if form == "json":
        document = {"ok": not suffers, "findings": [each.document() for each in findings]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _print(findings)
    if suffers:
        raise SystemExit(1)


def _print(findings: "list[Finding]") -> None:
    for finding in findings:
        click.echo(f"{_WORDS[finding.level]:<8} {finding.what:<12} {finding.says}")
        if finding.do is not None:
            click.echo(f"{'':<21} What to do: {finding.do}")
    problems = sum(finding.level == "problem" for finding in findings)
    if problems:
        count = "1 problem" if problems == 1 else f"{problems} problems"
        click.echo(f"{count}: an event would suffer.")
    else:
        click.echo("An event would find everything in order.")
