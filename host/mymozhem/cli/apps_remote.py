"""Commands about remote apps: register one, renew its secret, stop and start it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError

from .error_text import sentence

if TYPE_CHECKING:
    from mymozhem.apps.secrets import RotatedSecret
    from mymozhem.contract import JsonObject
    from mymozhem.registry.remote_apps import Registered

T = TypeVar("T")
Form = Literal["text", "json"]

ONCE = "This secret is shown this once. A running host notices within two seconds."
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@click.command("register")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--id", "app_id", help="The app's id. Default: the id in the manifest.")
@click.option("--owner", help="E-mail address of the app's owner.")
@_FORMAT
def register_command(file: Path, app_id: str | None, owner: str | None, form: Form) -> None:
    """Register a remote app by its manifest FILE; print its secret.

    The secret is printed only once. The manifest must have a baseUrl, the address of the app's web
    service. The host may be running.

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
@click.option(
    "--grace-hours", type=click.IntRange(0, 720), help="How long the old secret stays valid."
)
@click.option("--key-pair", is_flag=True, help="Renew the host's key pair as well.")
@_FORMAT
def secret_command(app_id: str, grace_hours: int | None, *, key_pair: bool, form: Form) -> None:
    """Create a new secret for the remote app APP_ID, and print it.

    The secret is printed only once. Calls are signed with both secrets during the grace period;
    with a grace period of 0 the old secret ends immediately.

    \b
    Examples:
      mymozhem apps secret raffle
      mymozhem apps secret raffle --grace-hours 0 --key-pair
    """
    keys = _run(_rotate(Settings(), app_id, grace_hours, key_pair=key_pair))
    if form == "json":
        facts = {"appId": app_id, "appSecret": keys.secret, "publicKey": keys.public_key}
        click.echo(json.dumps(facts))
        return
    click.echo(f"{app_id} has a new secret.")
    _show_keys(keys.secret, keys.public_key)


@click.command("stop")
@click.argument("app_id")
@click.option("--reason", required=True, help="The reason, for other operators.")
@_FORMAT
def stop_command(app_id: str, reason: str, form: Form) -> None:
    """Stop calling the app APP_ID, in every room.

    The app may be remote or installed. A running host stops within two seconds.

    \b
    Example:
      mymozhem apps stop raffle --reason "it draws the wrong people"
    """
    _say(app_id, _run(_stop(Settings(), app_id, reason)), form, word="stopped")


@click.command("start")
@click.argument("app_id")
@_FORMAT
def start_command(app_id: str, form: Form) -> None:
    """Start calling the app APP_ID again, after `apps stop`.

    \b
    Example:
      mymozhem apps start raffle
    """
    _say(app_id, _run(_start(Settings(), app_id)), form, word="started")


REMOTE_COMMANDS = (register_command, secret_command, stop_command, start_command)


async def _register(
    settings: Settings, file: Path, app_id: str | None, owner: str | None
) -> Registered:
    from mymozhem.apps.register import register_app
    from mymozhem.auth.principal import OPERATOR

    from .services import opened_services

    document = _document(file)
    named = app_id or document.get("id")
    if not isinstance(named, str):
        raise click.UsageError("The manifest names no id; give one with --id.")
    async with opened_services(settings) as services:
        return await register_app(services, OPERATOR, named, document, owner_email=owner)


async def _rotate(
    settings: Settings, app_id: str, hours: int | None, *, key_pair: bool
) -> RotatedSecret:
    from mymozhem.apps.secrets import rotate_secret
    from mymozhem.auth.principal import OPERATOR

    from .services import opened_services

    async with opened_services(settings) as services:
        return await rotate_secret(services, OPERATOR, app_id, grace_hours=hours, key_pair=key_pair)


async def _stop(settings: Settings, app_id: str, reason: str) -> bool:
    from mymozhem.apps.kill_switch import stop_app
    from mymozhem.auth.principal import OPERATOR

    from .services import opened_services

    async with opened_services(settings) as services:
        return await stop_app(services, OPERATOR, app_id, reason)


async def _start(settings: Settings, app_id: str) -> bool:
    from mymozhem.apps.kill_switch import start_app
    from mymozhem.auth.principal import OPERATOR

    from .services import opened_services

    async with opened_services(settings) as services:
        return await start_app(services, OPERATOR, app_id)


def _document(file: Path) -> JsonObject:
    from mymozhem.contract.byte_order_marks import as_utf_8
    from mymozhem.manifests.strict_json import StrictJsonError, loads
    from mymozhem.manifests.validate import MAX_MANIFEST_BYTES

    try:
        found = loads(as_utf_8(file.read_bytes()), max_bytes=MAX_MANIFEST_BYTES)
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
