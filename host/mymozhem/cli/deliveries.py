"""Commands about deliveries to apps: list and show them, retry or delete dead letters."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from mymozhem.config import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mymozhem.db.unit_of_work import Database

T = TypeVar("T")
Form = Literal["text", "json"]
Document = dict[str, Any]
STATES = ("pending", "accepted", "delivered", "dead")

_form = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.group("deliveries")
def deliveries_group() -> None:
    """List deliveries to apps; retry or delete dead letters."""


@deliveries_group.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only deliveries in this state.")
@click.option("--app", "app_id", metavar="APP_ID", help="Only deliveries to this app.")
@click.option("--room", "room_id", metavar="ROOM_ID", help="Only deliveries about this room.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, help="Maximum number.")
@_form
def list_command(
    state: str | None, app_id: str | None, room_id: str | None, limit: int, form: Form
) -> None:
    """List the newest deliveries of the configured database.

    The host may be running.

    \b
    Examples:
      mymozhem deliveries list --state dead
      mymozhem deliveries list --app raffle --format json
    """

    async def read(database: Database) -> list[Document]:
        from mymozhem.deliveries.tables import DeliveryState
        from mymozhem.rooms.views.base import to_json
        from mymozhem.rooms.views.deliveries import DeliveryFilter, list_deliveries
        from mymozhem.rooms.views.paging import PageRequest

        wanted = DeliveryFilter(DeliveryState(state) if state else None, app_id, None, room_id)
        found = await list_deliveries(database, wanted, PageRequest(1, limit))
        return [to_json(each) for each in found.items]

    found = _with_database(read)
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for each in found:
        click.echo(
            f"{each['state']:<9} {each['id']}  {each['appId']}  {each['hook']}  "
            f"{each['roomId'] or '-'}  {each['attemptCount']}  {each['lastCode'] or '-'}"
        )
    if not found:
        click.echo("There is no such delivery.", err=True)


@deliveries_group.command("show")
@click.argument("delivery_id", metavar="ID")
@click.option("--body", is_flag=True, help="Show the body as well; this is audited.")
@_form
def show_command(delivery_id: str, *, body: bool, form: Form) -> None:
    """Show the delivery ID with every attempt.

    The body may contain secrets of a room: it is shown only with --body, and the audit trail
    records that.

    \b
    Examples:
      mymozhem deliveries show call_01a20469f1c3706bb7963231e6f32f0e
      mymozhem deliveries show call_01a20469f1c3706bb7963231e6f32f0e --body --format json
    """

    async def read(database: Database) -> Document:
        from mymozhem.deliveries.commands import read_body
        from mymozhem.rooms.views.base import to_json
        from mymozhem.rooms.views.deliveries import show_delivery

        found = to_json(await show_delivery(database, delivery_id))
        if body:
            found |= {"body": await read_body(database, delivery_id, actor_id=None)}
        return found

    found = _with_database(read)
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    sent, attempts = found.pop("body", None), found.pop("attempts")
    for name, value in found.items():
        click.echo(f"{name:<14} {value if value is not None else '-'}")
    for each in attempts:
        click.echo(
            f"attempt        {each['number']}  {each['startedAt']}  {each['outcome']}  "
            f"{each['code'] or '-'}  {each['message'] or ''}".rstrip()
        )
    if sent is not None:
        click.echo(json.dumps(sent, ensure_ascii=False, indent=2))


@deliveries_group.command("retry")
@click.argument("delivery_id", metavar="[ID]", required=False)
@click.option(
    "--since", metavar="MOMENT", help="All dead letters since: 2030-01-01, or with a time."
)
@click.option("--app", "app_id", metavar="APP_ID", help="With --since: only those to this app.")
def retry_command(delivery_id: str | None, since: str | None, app_id: str | None) -> None:
    """Retry the dead letter ID, or all since a point in time.

    They are sent after the pending deliveries of their streams. A time without a time zone is in
    UTC.

    \b
    Examples:
      mymozhem deliveries retry call_01a20469f1c3706bb7963231e6f32f0e
      mymozhem deliveries retry --since 2030-01-01T18:00 --app raffle
    """
    if (delivery_id is None) == (since is None):
        message = "Name one dead letter, or a moment with --since."
        raise click.UsageError(message)
    if since is None and app_id is not None:
        raise click.UsageError("--app needs --since.")
    if delivery_id is not None:
        _change("retry", delivery_id)
        click.echo(f"{delivery_id} is queued again.")
        return
    moment = _moment(since or "")
    retried = _with_database(lambda database: _retry_since(database, moment, app_id))
    click.echo(f"{retried} dead letters are queued again.")


@deliveries_group.command("delete")
@click.argument("delivery_id", metavar="ID")
def delete_command(delivery_id: str) -> None:
    """Delete the dead letter ID permanently.

    \b
    Example:
      mymozhem deliveries delete call_01a20469f1c3706bb7963231e6f32f0e
    """
    _change("delete", delivery_id)
    click.echo(f"{delivery_id} is deleted.")


def _change(what: Literal["retry", "delete"], delivery_id: str) -> None:
    async def change(database: Database) -> None:
        from mymozhem.deliveries import commands
        from mymozhem.deliveries.outbox import Outbox

        if what == "retry":
            await commands.retry_dead_letter(database, Outbox(), delivery_id, actor_id=None)
        else:
            await commands.delete_dead_letter(database, delivery_id, actor_id=None)

    _with_database(change)


async def _retry_since(database: Database, since: datetime, app_id: str | None) -> int:
    from mymozhem.deliveries.commands import retry_dead_letters
    from mymozhem.deliveries.outbox import Outbox

    return await retry_dead_letters(database, Outbox(), since, app_id=app_id, actor_id=None)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = "--since: write a moment like 2030-01-01 or 2030-01-01T18:00:00Z."
        raise click.UsageError(message) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _with_database(work: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        from .database import opened_database

        async with opened_database(Settings(), exclusive=False) as database:
            return await work(database)

    return asyncio.run(run())
