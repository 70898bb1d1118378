"""The command `mymozhem seed`."""

import asyncio
import json
from typing import Literal

import click

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError


@click.command("seed")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def seed_command(form: Literal["text", "json"]) -> None:
    """Fill the database with demo data; idempotent.

    Creates rooms in every status, with participants, prizes, draws and winners, for every enabled
    app that provides samples. If the database is a SQLite file, stop the host first. The accounts
    get random passwords that are not shown: for logins run `mymozhem demo`.

    \b
    Examples:
      mymozhem seed
      mymozhem seed --format json
    """
    from mymozhem.contract.demo import DemoFailed

    try:
        rooms, refused = asyncio.run(_seed(Settings()))
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
    except DemoFailed as error:
        raise click.ClickException(str(error)) from error
    if form == "json":
        click.echo(json.dumps(rooms, ensure_ascii=False))
        return
    for room in rooms:
        word = "made" if room["new"] else "there already"
        click.echo(f"{room['status']:<10} {room['id']}  {room['name']} ({word})")
    for reason in refused:
        click.echo(reason, err=True)
    if not rooms:
        click.echo("No enabled app provides samples; see `mymozhem apps list`.", err=True)


async def _seed(settings: Settings) -> tuple[list[dict[str, object]], tuple[str, ...]]:
    from mymozhem.demo.accounts import strangers
    from mymozhem.demo.setup import fill

    from .database import opened_database

    async with opened_database(settings, exclusive=True):
        pass  # creates the tables, and checks that no host runs
    filled = await fill(settings, *strangers())
    rooms: list[dict[str, object]] = [
        {
            "id": each.room.id,
            "name": each.room.name,
            "appId": each.room.app_id,
            "status": each.room.status,
            "code": each.room.code,
            "new": each.new,
        }
        for each in filled.rooms
    ]
    return rooms, filled.refused
