"""Commands about manifests."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, BinaryIO, Literal

import click

if TYPE_CHECKING:
    from mymozhem.manifests.validate import Report

SHOWN = 120


@click.group("manifest")
def manifest_group() -> None:
    """Check what apps declare about themselves."""


@manifest_group.command("validate")
@click.argument("file", type=click.File("rb"))
@click.option("--as", "app_id", metavar="APP_ID", help="Id under which the app is registered.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def validate(file: BinaryIO, *, app_id: str | None, form: Literal["text", "json"]) -> None:
    """Say everything that is wrong with the manifest in FILE, and what to write instead.

    Nothing is fetched and no other file is opened. The exit status is 0 only when the manifest is
    valid. A FILE of - is standard input.

    \b
    Examples:
      mymozhem manifest validate manifest.json
      mymozhem manifest validate manifest.json --as raffle --format json
    """
    from mymozhem.manifests.validate import MAX_MANIFEST_BYTES, validate_manifest

    report = validate_manifest(file.read(MAX_MANIFEST_BYTES + 1), registered_as=app_id)
    if form == "json":
        click.echo(json.dumps(_as_json(report), indent=2, ensure_ascii=False))
    else:
        _print_text(report, name=file.name)
    sys.exit(0 if report.valid else 1)


def _as_json(report: Report) -> dict[str, object]:
    manifest = report.manifest
    return {
        "valid": report.valid,
        "id": manifest.id if manifest else None,
        "version": manifest.version if manifest else None,
        "digest": manifest.digest if manifest else None,
        "problems": [
            {
                "pointer": problem.pointer,
                "code": problem.code,
                "message": problem.message,
                "hint": problem.hint,
            }
            for problem in report.problems
        ],
    }


def _print_text(report: Report, *, name: str) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if report.manifest is not None:
        told = f"{report.manifest.meta.name} {report.manifest.version}"
        console.print(Text(f"{name}: {told} is valid", style="green"))
        console.print(Text(f"digest {report.manifest.digest}", style="dim"))
        return
    for problem in report.problems:
        console.print(
            Text.assemble(
                (_short(problem.pointer) or "(the whole document)", "bold"), "  ",
                (problem.code, "red"), "  ", problem.message,
            )
        )  # fmt: skip
        if problem.hint:
            console.print(Text(f"    {problem.hint}", style="dim"))
    count = len(report.problems)
    console.print(Text(f"{name}: {count} {'problem' if count == 1 else 'problems'}", style="red"))


def _short(pointer: str) -> str:
    return pointer if len(pointer) <= SHOWN else f"{pointer[:SHOWN]}…"
