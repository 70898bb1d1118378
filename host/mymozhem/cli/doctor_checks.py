"""The checks of `mymozhem doctor`, and their findings."""

import os
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.key_file import KeysRefused
from mymozhem.auth.keys import KEY_FILE, Keys
from mymozhem.clock import SystemClock, iso
from mymozhem.config import DATABASE_FILE, Settings
from mymozhem.db.engine import DatabaseUrlRefused, parse_url
from mymozhem.db.error_translation import reaching_the_database
from mymozhem.db.schema_revision import HEAD, current
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Unavailable
from mymozhem.monitoring.tables import AlertRow, RuleName
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.isolated.os_user import shared_user
from mymozhem.registry.loaded_code import IsolatedCode
from mymozhem.rooms.locks.advice import bring_back
from mymozhem.rooms.locks.serving import RUNNING, Group, running_groups
from mymozhem.rooms.locks.verify import target_name
from mymozhem.rooms.tables.locks import LockDriftRow
from mymozhem.rooms.tables.rooms import RoomRow

from .catalog_preview import keys_of, preview
from .doctor_findings import Finding, Level
from .doctor_isolation import isolation_findings
from .public_address import address_findings

#: a deadline within this time is near
NEAR = timedelta(days=7)

#: jumps of a clock within this time are reported, at most so many of them
RECENT, MOST_JUMPS = timedelta(days=7), 5

#: isolated apps that run as another user need to enter the folder
_OTHERS = stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH


@dataclass(frozen=True)
class _Seen:
    """A snapshot of the database and the code."""

    catalog: Catalog
    groups: Sequence[Group]
    enabled: frozenset[str]
    drifts: Sequence[tuple[str, str, int, int, datetime]]
    clock_jumps: Sequence[str]
    now: datetime


async def run_checks(settings: Settings) -> list[Finding]:
    """Run every check; a check that fails is a finding itself, and nothing is raised."""
    found = [*_folder(settings), *address_findings(settings)]
    schema = await _schema(settings)
    found.append(schema)
    if schema.level == "problem":
        return found
    keys, trouble = _keys(settings)
    found.extend(trouble)
    try:
        seen = await _look(settings, keys)
    except Unavailable as error:
        return [*found, _away(error)]
    return [
        *found, *_rooms(seen), *_stopped(seen), *_refused(seen), *_deprecated(seen), *_drifts(seen),
        *isolation_findings(settings, _isolated(seen), shared=shared_user()), *_clock_jumps(seen),
    ]  # fmt: skip


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.is_dir():
        says = f"There is no folder {folder}: no host has run with these settings yet."
        yield Finding("warning", "data folder", says, "Start the host, or set MYMOZHEM_DATA_DIR.")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        says = f"{folder} cannot be written by this user."
        do = f"Run the host as the owner of {folder}, or give it to the host's user."
        yield Finding("problem", "data folder", says, do)
        return
    exposed = [path for path in (folder, *_secret_files(settings)) if _is_exposed(path)]
    if not exposed:
        yield Finding("ok", "data folder", f"Only the owner can read {folder}.")
    for path in exposed:
        do = f"Type `chmod go-rw {path}`."
        yield Finding("warning", "data folder", f"Others can read {path}.", do)


def _secret_files(settings: Settings) -> list[Path]:
    """Return the files that only the owner may read, if others may enter the folder."""
    folder = settings.data_dir
    if not folder.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH):
        return []
    return [folder / KEY_FILE, *sorted(folder.glob(f"{DATABASE_FILE}*"))]


def _is_exposed(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & _OTHERS)


async def _schema(settings: Settings) -> Finding:
    url = settings.effective_database_url
    try:
        missing = _missing_file(url)
    except DatabaseUrlRefused as refused:
        return _refused_url(refused)
    if missing is not None:
        says = f"There is no database {missing} yet."
        return Finding("problem", "database", says, "Type `mymozhem db upgrade`.")
    try:
        with reaching_the_database():
            found = await current(url)
    except Unavailable as error:
        return _away(error)
    except DatabaseUrlRefused as refused:
        return _refused_url(refused)
    if found == HEAD:
        return Finding("ok", "database", f"It is at the newest schema ({HEAD}).")
    says = f"It is at the schema {found or 'nothing'}, this version of the host needs {HEAD}."
    do = "Type `mymozhem db upgrade` when no event runs."
    if found is not None and found > HEAD:
        do = "A newer version of the host has used it: install that one again."
    return Finding("problem", "database", says, do)


def _missing_file(url: str) -> str | None:
    parsed = parse_url(url)
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return file if file is not None and not Path(file).exists() else None


def _refused_url(refused: DatabaseUrlRefused) -> Finding:
    says = f"MYMOZHEM_DATABASE_URL cannot be used: {refused.message}."
    return Finding("problem", "database", says, "Correct the address.")


def _away(error: Unavailable) -> Finding:
    says = f"It cannot be reached. {error.message}"
    do = "Compare MYMOZHEM_DATABASE_URL with the server, and start it."
    return Finding("problem", "database", says, do)


def _keys(settings: Settings) -> tuple[Keys | None, list[Finding]]:
    try:
        keys = keys_of(settings)
    except (KeysRefused, OSError) as error:
        return None, [Finding("problem", "keys", str(error))]
    if keys is None:
        says = "There are no keys yet; a host makes them when it starts."
        return None, [Finding("warning", "keys", says)]
    return keys, []


async def _look(settings: Settings, keys: Keys | None) -> _Seen:
    database = Database(settings.effective_database_url, clock=SystemClock())
    await database.open(exclusive=False)
    try:
        catalog, now = await preview(database, settings, keys), await database.now()
        async with database.read() as session:
            enabled = await manifest_history.active_plugins(session) | set(settings.enable_apps)
            groups = await running_groups(session)
            drifts = await _drift_rows(session)
            jumps = await _jump_rows(session, since=now - RECENT)
        return _Seen(catalog, groups, enabled, drifts, jumps, now)
    finally:
        await database.close()


def _isolated(seen: _Seen) -> Iterator[IsolatedCode]:
    for app in seen.catalog.apps():
        yield from app.isolated


async def _jump_rows(session: AsyncSession, *, since: datetime) -> list[str]:
    """Return what the alerts since a moment say about jumps of a clock, the latest first."""
    rows = await session.scalars(
        select(AlertRow.summary)
        .where(AlertRow.rule == RuleName.CLOCK, AlertRow.opened_at >= since)
        .order_by(AlertRow.opened_at.desc())
        .limit(MOST_JUMPS)
    )
    return list(rows)


def _clock_jumps(seen: _Seen) -> Iterator[Finding]:
    do = "Let a time server set the clocks (`timedatectl`, `chronyc tracking`), and no person."
    for summary in seen.clock_jumps:
        yield Finding("warning", "clock", summary, do)


def _rooms(seen: _Seen) -> Iterator[Finding]:
    if not seen.groups:
        yield Finding("ok", "rooms", "No room is in DRAFT or ACTIVE.")
    for (app_id, version), groups in _by_version(seen.groups):
        name, target = f"{app_id} {version}", seen.catalog.target(app_id, version)
        if target is not None:
            says = f"{name}: {_count(groups)}, answered by {target_name(target)}."
            yield Finding("ok", "rooms", says)
            continue
        advice = bring_back(app_id, groups[0].target, enabled=app_id in seen.enabled)
        yield Finding("problem", "rooms", f"{name}: {_count(groups)}, orphaned.", advice)


def _by_version(groups: Iterable[Group]) -> list[tuple[tuple[str, str], list[Group]]]:
    found: defaultdict[tuple[str, str], list[Group]] = defaultdict(list)
    for group in groups:
        found[group.locked.app_id, group.locked.version].append(group)
    return sorted(found.items())


def _count(groups: Iterable[Group]) -> str:
    rooms, active = 0, 0
    for group in groups:
        rooms, active = rooms + group.rooms, active + group.active
    noun = "room" if rooms == 1 else "rooms"
    return f"{rooms} {noun}, {active} of them running"


def _stopped(seen: _Seen) -> Iterator[Finding]:
    used = {group.locked.app_id for group in seen.groups}
    for app in seen.catalog.apps():
        if app.facts.stopped is not None:
            says = f"{app.app_id} is stopped ({app.facts.stopped.reason}): its fallbacks answer."
            level: Level = "problem" if app.app_id in used else "warning"
            do = f"Type `mymozhem apps start {app.app_id}` once it is repaired."
            yield Finding(level, "apps", says, do)


def _refused(seen: _Seen) -> Iterator[Finding]:
    for refused in seen.catalog.refused:
        says = f"{refused.app_id} may not run: {'; '.join(refused.reasons)}."
        do = f"Fix or replace the package, or type `mymozhem apps disable {refused.app_id}`."
        if any("the environment" in reason for reason in refused.reasons):
            do = "Install it again with `mymozhem apps install 'NAME==VERSION' --isolated`."
        yield Finding("warning", "apps", says, do)


def _deprecated(seen: _Seen) -> Iterator[Finding]:
    published = {
        (each.app_id, each.manifest.version): each
        for app in seen.catalog.apps()
        for each in app.versions
    }
    for key, groups in _by_version(seen.groups):
        version = published.get(key)
        if version is None or version.deprecated_at is None:
            continue
        says = f"{key[0]} {key[1]} is deprecated, and {_count(groups)}, are locked to it"
        yield Finding(
            "warning",
            "versions",
            f"{says}{_deadline(version.deadline, seen.now)} Reason: {version.reason or 'none'}",
            "Have the organizers move their rooms to a newer version.",
        )


def _deadline(deadline: datetime | None, now: datetime) -> str:
    if deadline is None:
        return "."
    if deadline <= now:
        return f"; its deadline passed at {iso(deadline)}."
    near = ", soon" if deadline - now <= NEAR else ""
    return f"; its deadline is {iso(deadline)}{near}."


async def _drift_rows(
    session: AsyncSession,
) -> list[tuple[str, str, int, int, datetime]]:
    """Return for each version how many rooms have drifts, how many replies, and the last time."""
    rows = await session.execute(
        select(
            LockDriftRow.app_id,
            LockDriftRow.version,
            func.count(LockDriftRow.room_id.distinct()),
            func.sum(LockDriftRow.times),
            func.max(LockDriftRow.last_at),
        )
        .join(RoomRow, RoomRow.id == LockDriftRow.room_id)
        .where(RoomRow.status.in_(RUNNING), RoomRow.deleted_at.is_(None))
        .group_by(LockDriftRow.app_id, LockDriftRow.version)
        .order_by(LockDriftRow.app_id, LockDriftRow.version)
    )
    return [(app_id, version, rooms, times, last) for app_id, version, rooms, times, last in rows]


def _drifts(seen: _Seen) -> Iterator[Finding]:
    for app_id, version, rooms, times, last in seen.drifts:
        noun = "room" if rooms == 1 else "rooms"
        says = (
            f"The server of {app_id} {version} answered {times} times for another lock than that "
            f"of its room, in {rooms} {noun}, last at {iso(last)}."
        )
        do = "Ask the operator of that server: it seems to serve another room, or another manifest."
        yield Finding("warning", "drift", says, do)
