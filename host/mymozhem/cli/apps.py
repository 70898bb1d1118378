"""Commands about apps: list, enable and disable them."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError

from .apps_isolated import ISOLATED_COMMANDS, ListedIsolated, lines, listed_isolated
from .apps_remote import REMOTE_COMMANDS

if TYPE_CHECKING:
    from mymozhem.db.unit_of_work import Database

T = TypeVar("T")
EnabledBy = Literal["database", "settings"]

TRUST = (
    "Its code runs inside the host process and is trusted like the host itself: it can read every "
    "secret and change every row. Enable only what you would run as yourself."
)


@dataclass(frozen=True)
class Listed:
    """An app in the output; `enabled` names who enabled it, `problem` says what is wrong.

    `remote` is the address of an app that is a web service, `stopped` the reason why it is stopped;
    `isolated` are the environments with its code.
    """

    id: str
    packages: tuple[str, ...]
    enabled: EnabledBy | None
    problem: str | None
    remote: str | None = None
    stopped: str | None = None
    isolated: tuple[ListedIsolated, ...] = ()


@click.group("apps")
def apps_group() -> None:
    """List, install, enable, register and stop apps."""


for _command in (*ISOLATED_COMMANDS, *REMOTE_COMMANDS):
    apps_group.add_command(_command)


@apps_group.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def list_command(form: Literal["text", "json"]) -> None:
    """List the apps that are installed, enabled or registered.

    Isolated versions are listed below their app. Enabled plugins are imported in this process, to
    list those that may not run and why; nothing is written.

    \b
    Examples:
      mymozhem apps list
      mymozhem apps list --format json
    """
    listed = _run(_list(Settings()))
    if form == "json":
        click.echo(json.dumps([asdict(each) for each in listed]))
        return
    for each in listed:
        where = each.remote or ", ".join(each.packages) or "-"
        click.echo(f"{each.id:<20} {where:<32} {_state(each)}")
        for line in ((f"  {each.problem}",) if each.problem else ()) + tuple(lines(each.isolated)):
            click.echo(line)
    if not listed:
        click.echo("No app is installed. An app is a package: pip install it beside the host.")


@apps_group.command("enable")
@click.argument("app_id")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def enable_command(app_id: str, form: Literal["text", "json"]) -> None:
    """Enable the installed app APP_ID, from the next start on.

    The app runs inside the host, and its code is trusted like the host itself.

    \b
    Example:
      mymozhem apps enable auction
    """
    _echo(app_id, _run(_enable(Settings(), app_id)), form, enabled=True)
    if form == "text":
        click.echo(TRUST)


@apps_group.command("disable")
@click.argument("app_id")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def disable_command(app_id: str, form: Literal["text", "json"]) -> None:
    """Disable the app APP_ID, from the next start on.

    Its rooms stay readable.

    \b
    Example:
      mymozhem apps disable auction
    """
    settings = Settings()
    _echo(app_id, _run(_disable(settings, app_id)), form, enabled=False)
    if app_id in settings.enable_apps:
        click.echo("MYMOZHEM_ENABLE_APPS still names it: remove it there too.", err=True)


async def _list(settings: Settings) -> list[Listed]:
    from mymozhem.registry import discovery, kill_switch, manifest_history
    from mymozhem.registry.remote_apps import remote_addresses

    from .database import opened_database

    async with opened_database(settings, exclusive=False) as database:
        async with database.read() as session:
            active = await manifest_history.active_plugins(session)
            stopped = await kill_switch.reasons(session)
            remote = await remote_addresses(session)
        refused = await _refused(database, settings)
    found = discovery.by_id(discovery.discover())
    apart = listed_isolated(settings)
    listed = []
    for app_id in sorted({*found, *active, *settings.enable_apps, *remote, *apart}):
        isolated, reason = apart.get(app_id, ()), stopped.get(app_id)
        if app_id in remote:
            address = remote[app_id]
            listed.append(
                Listed(app_id, (), None, None, remote=address, stopped=reason, isolated=isolated)
            )
            continue
        packages = tuple(f"{each.distribution} {each.version}" for each in found.get(app_id, ()))
        enabled = _enabled_by(app_id, active, settings)
        problem = _problem(packages, only_isolated=bool(isolated) and enabled is None)
        if enabled is not None:
            problem = problem or refused.get(app_id)
        listed.append(Listed(app_id, packages, enabled, problem, stopped=reason, isolated=isolated))
    return listed


async def _refused(database: "Database", settings: Settings) -> dict[str, str]:
    """Return the enabled apps that may not run, and why."""
    from .catalog_preview import preview

    catalog = await preview(database, settings, keys=None)
    return {each.app_id: f"It may not run: {'; '.join(each.reasons)}." for each in catalog.refused}


def _state(app: Listed) -> str:
    if app.stopped is not None:
        return f"stopped: {app.stopped}"
    if app.remote is not None:
        return "remote"
    if not app.packages and app.enabled is None:
        return "isolated only"
    if app.enabled and app.problem:
        return f"refused (enabled by {app.enabled})"
    return f"enabled by {app.enabled}" if app.enabled else "not enabled"


def _enabled_by(app_id: str, active: frozenset[str], settings: Settings) -> EnabledBy | None:
    if app_id in active:
        return "database"
    return "settings" if app_id in settings.enable_apps else None


def _problem(packages: tuple[str, ...], *, only_isolated: bool) -> str | None:
    if not packages and only_isolated:
        return None
    if not packages:
        return "No installed package provides it; install one, or disable it."
    if len(packages) > 1:
        return "Several packages provide it, so it cannot run; uninstall all but one."
    return None


async def _enable(settings: Settings, app_id: str) -> bool:
    from mymozhem.apps.enable import enable_app

    from .services import opened_services

    async with opened_services(settings, exclusive=True) as services:
        return await enable_app(services, app_id)


async def _disable(settings: Settings, app_id: str) -> bool:
    from mymozhem.apps.enable import disable_app

    from .services import opened_services

    async with opened_services(settings, exclusive=True) as services:
        return await disable_app(services, app_id)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except MymozhemError as error:
        raise click.ClickException(error.message) from error


def _echo(app_id: str, changed: bool, form: str, *, enabled: bool) -> None:  # noqa: FBT001  one fact
    if form == "json":
        click.echo(json.dumps({"id": app_id, "enabled": enabled, "changed": changed}))
        return
    word = "enabled" if enabled else "disabled"
    click.echo(f"{app_id} is {word}." if changed else f"{app_id} was {word} already.")
