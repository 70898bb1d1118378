"""The command `mymozhem alerts`."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Literal

import click

from mymozhem.config import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mymozhem.contract import JsonObject
    from mymozhem.monitoring.tables import AlertRow


@click.command("alerts")
@click.option("--all", "whole", is_flag=True, help="Also alerts that are over, the newest first.")
@click.option("--app", "app_id", metavar="APP_ID", help="Only alerts about this app.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, help="Maximum number.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def alerts_command(
    app_id: str | None, limit: int, form: Literal["text", "json"], *, whole: bool
) -> None:
    """Show what is wrong with apps, and what to do.

    Lists each alert with its cause and the affected rooms: the same that the host sends by mail.
    The host may be running.

    \b
    Examples:
      mymozhem alerts
      mymozhem alerts --all --app raffle --format json
    """
    rows = asyncio.run(_alerts(Settings(), app_id, limit, whole=whole))
    if form == "json":
        click.echo(json.dumps([_document(row) for row in rows], ensure_ascii=False))
        return
    from mymozhem.monitoring.mail_texts import incident

    for row in rows:
        click.echo("\n".join([*incident(row), "", "-" * 40]))
    if not rows:
        click.echo("There is no alert." if whole else "There is no open alert.", err=True)


async def _alerts(
    settings: Settings, app_id: str | None, limit: int, *, whole: bool
) -> Sequence[AlertRow]:
    from mymozhem.monitoring.operators import list_alerts
    from mymozhem.monitoring.queries import AlertFilter

    from .database import opened_database

    wanted = AlertFilter(None if whole else True, app_id)
    async with opened_database(settings, exclusive=False) as database:
        rows, _ = await list_alerts(database, wanted, offset=0, limit=limit)
        return rows


def _document(row: AlertRow) -> JsonObject:
    from mymozhem.clock import iso

    over = row.recovered_at
    return {
        "id": row.id,
        "rule": row.rule.value,
        "severity": row.severity.value,
        "appId": row.app_id,
        "version": row.version,
        "capability": row.capability,
        "code": row.code,
        "summary": row.summary,
        "advice": row.advice,
        "rooms": [*row.rooms],
        "roomCount": row.room_count,
        "openedAt": iso(row.opened_at),
        "recoveredAt": iso(over) if over is not None else None,
    }
