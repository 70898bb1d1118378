"""The command `mymozhem check`: checks the code against its documents, without a server."""

import json
import time
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from mymozhem.cli.checks import Check, Result, Section


@click.command("check")
@click.option("--verbose", "-v", is_flag=True, help="Print every check.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check_command(*, verbose: bool, form: Literal["text", "json"]) -> None:
    """Check models, migrations, schemas and documents.

    Manifests, events and the API are checked as well. No server is needed, and your data are not
    opened: the migrations run on a temporary SQLite file. Stops at the first check that fails,
    prints why, and exits with status 1.

    \b
    Examples:
      mymozhem check
      mymozhem check --verbose
      mymozhem check --format json
    """
    from mymozhem.cli.checks import run_checks

    began = time.monotonic()
    result = run_checks(_sections(), _print if verbose and form == "text" else _keep_quiet)
    spent = time.monotonic() - began
    if form == "json":
        click.echo(json.dumps(_as_json(result, spent)))
        raise SystemExit(0 if result.failed is None else 1)
    if result.failed is not None:
        section, check = result.failed
        sentence = f"Check {result.made} fails: {section}, {check.name}: {check.problem}"
        raise click.ClickException(sentence)
    click.echo(f"{result.made} checks passed ({spent:.1f} s).")


def _sections() -> dict[str, "Section"]:
    from .checks import api, contract_lists, documents, migrations, models

    return {
        "models": models.check_models,
        "migrations": migrations.check_migrations,
        "enums": contract_lists.check_enums,
        "hooks": contract_lists.check_hooks,
        "events": contract_lists.check_events,
        "manifests": documents.check_manifests,
        "contract": documents.check_contract,
        "access": api.check_access,
        "openapi": api.check_openapi,
        "settings": api.check_settings,
    }


def _print(section: str, check: "Check") -> None:
    click.echo(f"{'ok  ' if check.problem is None else 'FAIL'}  {section}: {check.name}")


def _keep_quiet(_section: str, _check: "Check") -> None:
    """Print nothing about a single check."""


def _as_json(result: "Result", spent: float) -> dict[str, object]:
    found: dict[str, object] = {
        "ok": result.failed is None,
        "checks": result.made,
        "seconds": round(spent, 2),
    }
    if result.failed is not None:
        section, check = result.failed
        found["failed"] = {"section": section, "check": check.name, "problem": check.problem}
    return found
