"""Commands about remote apps: register one, renew its secret, stop and start it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError

from .error_text import sentence

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mymozhem.contract import JsonObject
    from mymozhem.registry.app_keys import NewKeys
    from mymozhem.registry.remote_apps import Owner, Registered

T = TypeVar("T")
Form = Literal["text", "json"]

ONCE = "This secret is shown this once. A host that is running knows it within two seconds."
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.command("register")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--id", "app_id", help="The app's id; that of the manifest when left out.")
@click.option("--owner", help="E-mail address of who answers for the app.")
@_FORMAT
def register_command(file: Path, app_id: str | None, owner: str | None, form: Form) -> None:
    """Register the remote app whose manifest is FILE, and show its secret, this once.

    The manifest has a baseUrl, where the app's web service answers. The host may be running.

    \b
    Examples:
      mymozhem apps register manifest.json --owner ada@example.com
      mymozhem apps register manifest.json --id raffle --format json
    """
    made = _run(_register(Settings(), file, app_id, owner))
    if form == "json":
        facts = {"appId": made.app_id, "version": made.manifest.version}
        keys = {"appSecret": made.secret, "publicKey": made.public_key}
        click.echo(json.dumps(facts | keys))
        return
    click.echo(f"{made.app_id} {made.manifest.version} is registered.")
    _show_keys(made.secret, made.public_key)


@click.command("secret")
@click.argument("app_id")
@click.option("--grace-hours", type=click.IntRange(0, 720), help="How long the old one is good.")
@click.option("--key-pair", is_flag=True, help="Renew the host's key pair as well.")
@_FORMAT
def secret_command(app_id: str, grace_hours: int | None, *, key_pair: bool, form: Form) -> None:
    """Give the remote app APP_ID a new secret, and show it, this once.

    Calls are signed with both until the grace is over; with a grace of 0 the old one ends at once.

    \b
    Examples:
      mymozhem apps secret raffle
      mymozhem apps secret raffle --grace-hours 0 --key-pair
    """
    keys = _run(_renew(Settings(), app_id, grace_hours, key_pair=key_pair))
    if form == "json":
        facts = {"appId": app_id, "appSecret": keys.secret, "publicKey": keys.public_key}
        click.echo(json.dumps(facts))
        return
    click.echo(f"{app_id} has a new secret.")
    _show_keys(keys.secret, keys.public_key)


@click.command("stop")
@click.argument("app_id")
@click.option("--reason", required=True, help="Why; other operators read it.")
@_FORMAT
def stop_command(app_id: str, reason: str, form: Form) -> None:
    """Stop the app APP_ID, remote or installed: it is not called any more, in any room.

    A host that is running knows it within two seconds.

    \b
    Example:
      mymozhem apps stop raffle --reason "it draws the wrong people"
    """
    _say(app_id, _run(_stop(Settings(), app_id, reason)), form, word="stopped")


@click.command("start")
@click.argument("app_id")
@_FORMAT
def start_command(app_id: str, form: Form) -> None:
    """Let the app APP_ID be called again after it was stopped.

    \b
    Example:
      mymozhem apps start raffle
    """
    _say(app_id, _run(_start(Settings(), app_id)), form, word="started")


REMOTE_COMMANDS = (register_command, secret_command, stop_command, start_command)


async def _register(
    settings: Settings, file: Path, app_id: str | None, owner: str | None
) -> Registered:
    from mymozhem.audit.trail import audit
    from mymozhem.auth.keys import Keys
    from mymozhem.outbound.guard import Guard
    from mymozhem.registry import remote_apps

    from .database import opened_database

    document = _document(file)
    named = app_id or document.get("id")
    if not isinstance(named, str):
        raise click.UsageError("The manifest names no id; give one with --id.")
    manifest = remote_apps.validate_remote_manifest(document, named, Guard.of(settings).check_url)
    async with opened_database(settings, exclusive=False) as database:
        async with database.read() as session:
            belongs = await _owner(session, owner)
        async with database.write() as unit:
            made = await remote_apps.register(
                unit, Keys.load(settings), named, manifest, owner=belongs
            )
            audit(unit, "app.register", actor_id=None, appId=named, version=manifest.version)
            return made


async def _owner(session: AsyncSession, email: str | None) -> Owner:
    from mymozhem.auth.accounts import find_account, normal_email
    from mymozhem.registry.remote_apps import Owner

    if email is None:
        return Owner(None, None)
    address = normal_email(email)
    found = await find_account(session, address)
    return Owner(found.id if found else None, address)


async def _renew(settings: Settings, app_id: str, hours: int | None, *, key_pair: bool) -> NewKeys:
    from mymozhem.audit.trail import audit
    from mymozhem.auth.keys import Keys
    from mymozhem.registry import remote_apps

    from .database import opened_database

    hours = settings.app_secret_grace_hours if hours is None else hours
    async with (
        opened_database(settings, exclusive=False) as database,
        database.write() as unit,
    ):
        keys = await remote_apps.renew_keys(
            unit, Keys.load(settings), app_id, grace=timedelta(hours=hours), key_pair=key_pair
        )
        audit(unit, "app.secret", actor_id=None, appId=app_id, graceHours=hours)
        return keys


async def _stop(settings: Settings, app_id: str, reason: str) -> bool:
    from mymozhem.audit.trail import audit
    from mymozhem.registry import kill_switch

    from .database import opened_database

    async with (
        opened_database(settings, exclusive=False) as database,
        database.write() as unit,
    ):
        audit(unit, "app.stop", actor_id=None, appId=app_id, reason=reason)
        return await kill_switch.stop(unit, app_id, reason)


async def _start(settings: Settings, app_id: str) -> bool:
    from mymozhem.audit.trail import audit
    from mymozhem.registry import kill_switch

    from .database import opened_database

    async with (
        opened_database(settings, exclusive=False) as database,
        database.write() as unit,
    ):
        audit(unit, "app.start", actor_id=None, appId=app_id)
        return await kill_switch.start(unit, app_id)


def _document(file: Path) -> JsonObject:
    from mymozhem.manifests.strict_json import StrictJsonError, loads
    from mymozhem.manifests.validate import MAX_MANIFEST_BYTES

    try:
        found = loads(file.read_bytes(), max_bytes=MAX_MANIFEST_BYTES)
    except StrictJsonError as error:
        raise click.ClickException(f"{file} is no manifest: {error.message}.") from error
    if not isinstance(found, dict):
        raise click.ClickException(f"{file} is no manifest: a manifest is an object.")
    return found


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except MymozhemError as error:
        raise click.ClickException(sentence(error)) from error


def _show_keys(secret: str, public_key: str) -> None:
    click.echo(f"  secret      {secret}")
    click.echo(f"  public key  {public_key}")
    click.echo(ONCE)


def _say(app_id: str, changed: bool, form: Form, *, word: str) -> None:  # noqa: FBT001  one fact
    if form == "json":
        click.echo(json.dumps({"id": app_id, "stopped": word == "stopped", "changed": changed}))
        return
    click.echo(f"{app_id} is {word}." if changed else f"{app_id} was {word} already.")
