"""The command `mymozhem doctor`."""

import asyncio
import json
from typing import TYPE_CHECKING, Literal

import click

from mymozhem.config import Settings

if TYPE_CHECKING:
    from .doctor_findings import Finding

_WORDS = {"ok": "ok", "warning": "warning", "problem": "PROBLEM"}


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def doctor_command(form: Literal["text", "json"]) -> None:
    """Check the installation for problems before an event.

    Checks the data folder, whether phones can reach the public address, the database, and each room
    in DRAFT or ACTIVE: which code would serve it if the host started now, and what to do if none
    would. Enabled plugins are imported in this process for that. Nothing is written; the host may
    be running.

    Exit status: 0 if there are no problems, 1 if there are.

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
    warnings = sum(finding.level == "warning" for finding in findings)
    told = [_count(problems, "problem to fix before an event", "problems to fix before an event")]
    told += [_count(warnings, "warning to look at", "warnings to look at")]
    click.echo(", ".join(filter(None, told)) + "." if any(told) else "Everything is in order.")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""
