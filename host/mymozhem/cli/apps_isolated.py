"""Commands about isolated apps, whose code is in separate environments."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import click

from mymozhem.config import Settings
from mymozhem.errors import MymozhemError

from .error_text import sentence

if TYPE_CHECKING:
    from mymozhem.registry.catalog import Catalog
    from mymozhem.registry.isolated.install import Pinned
    from mymozhem.registry.loaded_code import IsolatedCode, Refused

Form = Literal["text", "json"]

KNOWN_SOON = "A running host notices within two seconds."
NOT_ISOLATED = (
    "Give --isolated. To install code that runs inside the host, type `pip install` with the same "
    "requirement, then `mymozhem apps enable APP_ID`, and start the host again."
)
_FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")


@dataclass(frozen=True)
class ListedIsolated:
    """An isolated environment in the output.

    `serves` is the version that its code serves, or a range of them. If the environment cannot run,
    all fields but `problem` are None, and `problem` says which one it is and why.
    """

    folder: str | None = None
    package: str | None = None
    serves: str | None = None
    problem: str | None = None


@click.command("install")
@click.argument("requirement")
@click.option("--isolated", is_flag=True, help="Install into an isolated environment; required.")
@click.option("--as-root", is_flag=True, help="Let the app run as root if the host does.")
@_FORMAT
def install_command(requirement: str, *, isolated: bool, as_root: bool, form: Form) -> None:
    """Install the app REQUIREMENT in an isolated environment.

    It serves rooms that are locked to its version, beside the version that the host loads.
    REQUIREMENT is one version, such as 'acme-auction==1.2.0', which pip gets from its configured
    index; or the path of a wheel; or the folder of a project. The code runs in a separate process,
    which starts when a room needs it. The host may be running. Installing imports the code once,
    outside the host, with a deadline.

    The code never runs as root: if the host does, the user in MYMOZHEM_ISOLATED_USER builds and
    runs it, or nobody. If that user cannot, nothing is installed, unless --as-root is given.

    \b
    Examples:
      mymozhem apps install 'acme-auction==1.2.0' --isolated
      mymozhem apps install acme_auction-1.2.0-py3-none-any.whl --isolated --format json
    """
    from mymozhem.registry.isolated.environments import Environments
    from mymozhem.registry.isolated.install import install

    if not isolated:
        raise click.UsageError(NOT_ISOLATED)
    settings = Settings()
    before = {code.name for code in Environments(settings.isolated_dir).read().codes}
    try:
        code = install(requirement, settings, as_root=as_root)
    except MymozhemError as error:
        raise click.ClickException(error.message) from error
    _say_installed(code, form, changed=code.name not in before)


@click.command("remove")
@click.argument("requirement", metavar="NAME==VERSION")
@click.option("--isolated", is_flag=True, help="Remove the isolated environment; required.")
@click.option("--anyway", is_flag=True, help="Also if rooms have no other code that serves them.")
@_FORMAT
def remove_command(requirement: str, *, isolated: bool, anyway: bool, form: Form) -> None:
    """Remove the code NAME==VERSION that --isolated installed.

    Refused while rooms in DRAFT or ACTIVE are locked to a version that no other code here serves:
    they would be orphaned. The host may be running.

    \b
    Examples:
      mymozhem apps remove 'acme-auction==1.2.0' --isolated
      mymozhem apps remove 'acme-auction==1.2.0' --isolated --anyway
    """
    from mymozhem.registry.isolated.install import Pinned, remove

    if not isolated:
        raise click.UsageError(
            "Give --isolated. To remove code that the host loads, type `pip uninstall`."
        )
    pinned = Pinned.parse(requirement)
    if pinned is None:
        raise click.UsageError("Write one version as 'acme-auction==1.2.0'.")
    settings = Settings()
    try:
        if not anyway:
            asyncio.run(_require_needless(settings, pinned))
        removed = remove(pinned, settings)
    except MymozhemError as error:
        raise click.ClickException(sentence(error)) from error
    if form == "json":
        click.echo(json.dumps({"requirement": str(pinned), "removed": list(removed)}))
        return
    click.echo(f"{pinned} is removed. {KNOWN_SOON}")


ISOLATED_COMMANDS = (install_command, remove_command)


def listed_isolated(settings: Settings) -> dict[str, tuple[ListedIsolated, ...]]:
    """Return the environments of this host by app; an unreadable one by its folder's name."""
    from mymozhem.registry.isolated.environments import Environments

    found = Environments(settings.isolated_dir).read()
    listed: dict[str, tuple[ListedIsolated, ...]] = {}
    every: tuple[IsolatedCode | Refused, ...] = (*found.codes, *found.refused)
    for each in every:
        listed[each.app_id] = (*listed.get(each.app_id, ()), _listed(each))
    return listed


def lines(isolated: tuple[ListedIsolated, ...]) -> list[str]:
    """Return the lines about the environments of one app, a line for each."""
    return [
        f"  {each.problem}" if each.problem else f"  isolated: {each.package}, serves {each.serves}"
        for each in isolated
    ]


def _listed(each: IsolatedCode | Refused) -> ListedIsolated:
    from mymozhem.registry.loaded_code import Refused

    if isinstance(each, Refused):
        return ListedIsolated(problem="; ".join(each.reasons))
    package = f"{each.distribution} {each.distribution_version}"
    return ListedIsolated(str(each.folder), package, _range(each))


def _range(code: IsolatedCode) -> str:
    return code.manifest.serves_text or code.manifest.version


def _say_installed(code: IsolatedCode, form: Form, *, changed: bool) -> None:
    version = code.manifest.version
    if form == "json":
        facts = {
            "appId": code.app_id,
            "version": version,
            "distribution": code.distribution,
            "distributionVersion": code.distribution_version,
            "wheelDigest": code.wheel_digest,
            "serves": _range(code),
            "folder": str(code.folder),
            "changed": changed,
        }
        click.echo(json.dumps(facts))
        return
    word = "is installed" if changed else "was installed already"
    click.echo(f"{code.app_id} {version} {word}, in an isolated environment.")
    click.echo(f"  package  {code.distribution} {code.distribution_version}")
    click.echo(f"  serves   rooms locked to {code.app_id} {_range(code)}")
    click.echo(f"  folder   {code.folder}")
    if changed:
        click.echo(KNOWN_SOON)


async def _require_needless(settings: Settings, pinned: Pinned) -> None:
    """Raise `ClickException` if running rooms are served by no other code."""
    from sqlalchemy import func, select

    from mymozhem.registry.isolated.install import there
    from mymozhem.rooms.locks.serving import RUNNING
    from mymozhem.rooms.tables.rooms import RoomRow

    from .catalog_preview import keys_of, preview
    from .database import opened_database

    names = {folder.name for folder in there(pinned, settings)}
    version = RoomRow.app_manifest_version
    query = (
        select(RoomRow.app_id, version, func.count())
        .where(RoomRow.status.in_(RUNNING), RoomRow.deleted_at.is_(None))
        .group_by(RoomRow.app_id, version)
        .order_by(RoomRow.app_id, version)
    )
    async with opened_database(settings, exclusive=False) as database:
        async with database.read() as session:
            running = (await session.execute(query)).all()
        catalog = await preview(database, settings, keys_of(settings))
    needed = [
        f"{app_id} {locked} ({count} {'room' if count == 1 else 'rooms'})"
        for app_id, locked, count in running
        if _only_here(catalog, app_id, locked, names)
    ]
    if needed:
        raise click.ClickException(
            f"No other code serves rooms in DRAFT or ACTIVE: {', '.join(needed)}. "
            "Upgrade or end them first, or orphan them with --anyway."
        )


def _only_here(catalog: Catalog, app_id: str, version: str, names: set[str]) -> bool:
    """Return whether a version is served by these environments only."""
    app = next((each for each in catalog.apps() if each.app_id == app_id), None)
    if app is None or not app.serves(version):
        return False
    left = tuple(each for each in app.isolated if each.name not in names)
    return not replace(app, isolated=left).serves(version)
