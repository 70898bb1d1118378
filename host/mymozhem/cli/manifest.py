"""Commands about manifests."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import click

if TYPE_CHECKING:
    from rich.console import Console

    from mymozhem.manifests.problems import Problem
    from mymozhem.manifests.referee import Change, Diff
    from mymozhem.manifests.validate import Report

SHOWN = 120
_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


@click.group("manifest")
def manifest_group() -> None:
    """Validate and compare manifests of apps."""


@manifest_group.command("validate")
@click.argument("file", type=click.File("rb"))
@click.option("--as", "app_id", metavar="APP_ID", help="Id under which the app is registered.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def validate(file: BinaryIO, *, app_id: str | None, form: Literal["text", "json"]) -> None:
    """List the problems of the manifest FILE, with hints.

    Nothing is fetched, and no other file is opened. The exit status is 0 only if the manifest is
    valid. If FILE is -, standard input is read.

    \b
    Examples:
      mymozhem manifest validate manifest.json
      mymozhem manifest validate manifest.json --as raffle --format json
    """
    from mymozhem.contract.byte_order_marks import as_utf_8
    from mymozhem.manifests.validate import MAX_MANIFEST_BYTES, validate_manifest

    content = as_utf_8(file.read(_most_bytes(MAX_MANIFEST_BYTES)))
    report = validate_manifest(content, registered_as=app_id)
    if form == "json":
        click.echo(json.dumps(_as_json(report), indent=2, ensure_ascii=False))
    else:
        _print_text(report, name=file.name)
    sys.exit(0 if report.valid else 1)


@manifest_group.command("diff")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def diff(old: Path, new: Path, *, form: Literal["text", "json"]) -> None:
    """List the changes from manifest OLD to NEW.

    Each change is listed with its class (patch, minor, major) and with the roles that have to
    agree, the most severe first; then the version that NEW needs. The exit status is 0 if NEW's
    version is high enough, 1 if it is not, and 2 if one of the two manifests is not valid. Nothing
    is fetched, and no other file is opened.

    \b
    Examples:
      mymozhem manifest diff released.json manifest.json
      mymozhem manifest diff released.json manifest.json --format json
    """
    from mymozhem.manifests.referee import as_json, compare

    read = [_read(file) for file in (old, new)]
    before, after = (report.manifest for report in read)
    if before is None or after is None:
        _refuse(dict(zip(("old", "new"), read, strict=True)), names=(str(old), str(new)), form=form)
        sys.exit(2)
    found = compare(before, after)
    if form == "json":
        click.echo(json.dumps(as_json(found), indent=2, ensure_ascii=False))
    else:
        _print_diff(found)
    sys.exit(0 if found.sufficient else 1)


def _read(file: Path) -> Report:
    from mymozhem.contract.byte_order_marks import as_utf_8
    from mymozhem.manifests.validate import MAX_MANIFEST_BYTES, validate_manifest

    with file.open("rb") as opened:
        return validate_manifest(as_utf_8(opened.read(_most_bytes(MAX_MANIFEST_BYTES))))


def _most_bytes(of_utf_8: int) -> int:
    """Return how many bytes are read, so that a manifest in any encoding is whole or too large."""
    return 4 * of_utf_8 + 4


def _refuse(
    read: dict[str, Report], *, names: tuple[str, str], form: Literal["text", "json"]
) -> None:
    if form == "json":
        reports = {side: _as_json(report) for side, report in read.items()}
        click.echo(json.dumps(reports, indent=2, ensure_ascii=False))
        return
    for name, report in zip(names, read.values(), strict=True):
        if not report.valid:
            _print_text(report, name=name)


def _print_diff(found: Diff) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for change in found.changes:
        _print_change(console, change)
    moved = f"{found.old_version} → {found.new_version}"
    count = len(found.changes)
    if not count:
        same = found.old_version == found.new_version
        summary = "nothing has changed" if same else "nothing has changed but the version"
        console.print(Text(f"{moved}: {summary}"))
    else:
        summary = f"{count} {'change' if count == 1 else 'changes'}, required: {found.required}"
        console.print(Text(f"{moved}: {summary}, declared: {found.declared or 'nothing'}"))
    if found.declared is not None or not found.sufficient:
        style = "green" if found.sufficient else "red"
        console.print(Text(_verdict(found), style=style))


def _print_change(console: Console, change: Change) -> None:
    from rich.text import Text

    style = {"major": "red", "minor": "yellow"}.get(change.bump, "dim")
    console.print(
        Text.assemble(
            (f"{change.bump:<5}", style), "  ", (_short(change.pointer), "bold"), "  ",
            (change.code, style),
        )
    )  # fmt: skip
    console.print(Text(f"       {change.message}"))
    if not change.known:
        console.print(Text("       major, because the effect is not known", style="dim"))
    if change.consent is not None:
        console.print(Text(f"       needs the consent of the {change.consent}", style="magenta"))


def _verdict(found: Diff) -> str:
    from mymozhem.manifests.referee import least_version

    if found.sufficient:
        return "the version moves far enough"
    least = least_version(found.old_version, found.required)
    if found.declared is None:
        return f"{found.new_version} is not greater than {found.old_version}; take {least}"
    return f"the version does not move far enough; take {least}"


def _as_json(report: Report) -> dict[str, object]:
    manifest = report.manifest
    return {
        "valid": report.valid,
        "id": manifest.id if manifest else None,
        "version": manifest.version if manifest else None,
        "digest": manifest.digest if manifest else None,
        "problems": [asdict(problem) for problem in report.problems],
        "remarks": [asdict(problem) for problem in report.remarks],
    }


def _print_text(report: Report, *, name: str) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    if report.manifest is not None:
        version = f"{report.manifest.meta.name} {report.manifest.version}"
        console.print(Text(f"{name}: {version} is valid", style="green"))
        console.print(Text(f"digest {report.manifest.digest}", style="dim"))
        _print_problems(console, report.remarks, style="yellow")
        return
    _print_problems(console, report.problems, style="red")
    count = len(report.problems)
    console.print(Text(f"{name}: {count} {'problem' if count == 1 else 'problems'}", style="red"))


def _print_problems(console: Console, problems: tuple[Problem, ...], *, style: str) -> None:
    from rich.text import Text

    for problem in problems:
        console.print(
            Text.assemble(
                (_short(problem.pointer) or "(the whole document)", "bold"), "  ",
                (problem.code, style), "  ", problem.message,
            )
        )  # fmt: skip
        if problem.hint:
            console.print(Text(f"    {problem.hint}", style="dim"))


def _short(pointer: str) -> str:
    return pointer if len(pointer) <= SHOWN else f"{pointer[:SHOWN]}…"
