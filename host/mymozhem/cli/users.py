"""Commands about user accounts."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeVar

import click

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError

from .error_text import sentence

if TYPE_CHECKING:
    from mymozhem.auth.users import User

    from .user_services import UserServices

T = TypeVar("T")

MAX_LINE = 4_096


@click.group("users")
def users_group() -> None:
    """Create, invite, find and deactivate accounts."""


@users_group.command("create")
@click.argument("email")
@click.option("--name", help="Name that others see. Default: the part before the @.")
@click.option("--admin", is_flag=True, help="Give every permission, in every room.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def create(
    email: str,
    *,
    name: str | None,
    admin: bool,
    password_stdin: bool,
    form: Literal["text", "json"],
) -> None:
    """Create an account that signs in with EMAIL and a password.

    The database is the one in MYMOZHEM_DATABASE_URL, or the file in the data folder; the host may
    be running.

    \b
    Examples:
      mymozhem users create ada@example.com --name "Ada Lovelace" --admin
      mymozhem users create ada@example.com --password-stdin --format json < password.txt
    """
    from mymozhem.auth.name_rules import shortened

    password = _read_password(from_stdin=password_stdin)
    shown = name if name is not None else shortened(email.partition("@")[0])
    try:
        user = asyncio.run(_create(email, name=shown, password=password, is_admin=admin))
    except MymozhemError as error:
        raise click.ClickException(sentence(error)) from error
    click.echo(_as_json(user) if form == "json" else _as_text(user))


@users_group.command("invite")
@click.argument("email", required=False)
@click.option("--admin", is_flag=True, help="Give every permission, in every room.")
def invite(email: str | None, *, admin: bool) -> None:
    """Print a link with which somebody creates an account.

    With EMAIL, only that address can use it. It is valid for seven days and works once.

    \b
    Examples:
      mymozhem users invite ada@example.com
      mymozhem users invite --admin
    """
    link = _run(
        lambda services: services.sign_up.invite(services.caller, email=email, is_admin=admin)
    )
    click.echo(link.url)


@users_group.command("new-password")
@click.argument("email")
def new_password(email: str) -> None:
    """Print a link to a new password for an account.

    It is valid for one hour and works once. All sessions end with the old password.

    \b
    Example:
      mymozhem users new-password ada@example.com
    """
    click.echo(_run(lambda services: services.passwords.link_for(email)).url)


@users_group.command("list")
@click.argument("text", required=False)
def list_users(text: str | None) -> None:
    """List accounts, the newest first.

    With TEXT, only those whose name or address contains it.

    \b
    Examples:
      mymozhem users list
      mymozhem users list example.com
    """
    for each in _run(lambda services: services.administration.find(services.caller, text=text)):
        facts = [each.id, each.email or "", each.name]
        facts += ["administrator"] if each.is_admin else []
        facts += ["deactivated"] if each.deactivated_at else []
        click.echo("  ".join(facts))


@users_group.command("deactivate")
@click.argument("user_id")
@click.option("--reason", required=True, help="Why; it stands in the audit trail.")
def deactivate(user_id: str, *, reason: str) -> None:
    """Let an account sign in no more.

    All its sessions end within a second. USER_ID is in `mymozhem users list`.

    \b
    Example:
      mymozhem users deactivate usr_0190a4 --reason "left the company"
    """
    account = _run(
        lambda services: services.administration.deactivate(services.caller, user_id, reason)
    )
    click.echo(f"{account.email} is deactivated.")


@users_group.command("activate")
@click.argument("user_id")
def activate(user_id: str) -> None:
    """Let a deactivated account sign in again.

    \b
    Example:
      mymozhem users activate usr_0190a4
    """
    account = _run(lambda services: services.administration.activate(services.caller, user_id))
    click.echo(f"{account.email} can sign in again.")


def _run(act: Callable[[UserServices], Awaitable[T]]) -> T:
    """Run a use case on the database of the settings; the host may be running."""
    from .user_services import opened_user_services

    async def run() -> T:
        async with opened_user_services(Settings()) as services:
            return await act(services)

    try:
        return asyncio.run(run())
    except MymozhemError as error:
        raise click.ClickException(sentence(error)) from error


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return _first_line(sys.stdin.buffer)
    given: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given


def _first_line(source: BinaryIO) -> str:
    from mymozhem.contract.byte_order_marks import encoding_of, text_of

    line = source.readline(MAX_LINE)
    if encoding_of(line) in {"utf-16", "utf-32"}:  # a byte that ends a line may be half a letter
        line += source.read(MAX_LINE)
    try:
        return text_of(line).partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as error:
        message = "The password cannot be read: store the file as UTF-8."
        raise click.ClickException(message) from error


async def _create(email: str, *, name: str, password: str, is_admin: bool) -> User:
    from mymozhem.auth.accounts import Accounts
    from mymozhem.auth.passwords import Passwords

    from .database import opened_database

    passwords = Passwords()
    try:
        async with opened_database(Settings(), exclusive=False) as database:
            accounts = Accounts(database, passwords)
            return await accounts.create_user(
                email, name=name, password=password, is_admin=is_admin
            )
    finally:
        passwords.close()


def _as_text(user: User) -> str:
    role = "administrator" if user.is_admin else "account"
    return f"{user.email} can sign in now ({role} {user.id})."


def _as_json(user: User) -> str:
    facts = {"id": user.id, "email": user.email, "name": user.name, "isAdmin": user.is_admin}
    return json.dumps(facts, ensure_ascii=False)
