"""Verify a room's lock: recompute everything from what is stored, and trust nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.keys import Keys, SealBroken
from mymozhem.clock import iso
from mymozhem.contract import JsonObject, fair
from mymozhem.contract.canonical_json import digest
from mymozhem.errors import NotFound
from mymozhem.manifests.declared_settings import declared_only
from mymozhem.manifests.model import Manifest
from mymozhem.manifests.settings import apply_defaults
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.core.transaction import ENDED
from mymozhem.rooms.tables.draws import DrawRow
from mymozhem.rooms.tables.locks import RoomLockRow, RoomServedByRow
from mymozhem.rooms.tables.rooms import RoomRow

from .document import settings_digest
from .queries import locks_of, records_of


@dataclass(frozen=True)
class Check:
    """One check: its subject, whether it holds, and a sentence."""

    what: str
    holds: bool
    says: str


@dataclass(frozen=True)
class _Known:
    """The stored parts of a room's lock; `manifest` is None if the history lacks its version."""

    room: RoomRow
    lock: RoomLockRow
    locks: Sequence[RoomLockRow]
    records: Sequence[RoomServedByRow]
    manifest: Manifest | None
    draws: Sequence[DrawRow]


async def verify_lock(
    session: AsyncSession, catalog: Catalog, keys: Keys | None, room: RoomRow
) -> list[Check]:
    """Return the checks of a room's lock.

    `catalog` must be fresh: it holds the documents of the history, and says what would serve the
    room. Without `keys`, the room's secret is not opened.
    """
    known = await _read(session, catalog, room)
    if known is None:
        return [Check("lock", holds=False, says="The room's lock is not there.")]
    return [
        *_documents(known),
        *_manifest(known),
        *_settings(known),
        _code(known, catalog),
        *_anchor(room, keys),
        _draws(known),
    ]


def target_name(target: JsonObject | None) -> str:
    """Return a target in words that fit into a sentence."""
    if target is None:
        return "nothing"
    if target.get("kind") == "webhook":
        return f"the web service at {target.get('baseUrl')} (key {target.get('keyId')})"
    name = f"{target.get('distribution')} {target.get('version')}"
    if target.get("kind") == "isolated":
        return f"{name} in an environment of its own (wheel {str(target.get('wheelDigest'))[:12]})"
    return f"{name} inside the host"


async def _read(session: AsyncSession, catalog: Catalog, room: RoomRow) -> _Known | None:
    locks = await locks_of(session, room.id)
    lock = next((row for row in locks if row.id == room.lock_id), None)
    if lock is None:
        return None
    draws = await session.scalars(
        select(DrawRow)
        .where(DrawRow.room_id == room.id, DrawRow.rule.is_not(None))
        .order_by(DrawRow.created_at, DrawRow.id)
    )
    return _Known(
        room=room,
        lock=lock,
        locks=locks,
        records=await records_of(session, room),
        manifest=_published(catalog, room),
        draws=draws.all(),
    )


def _published(catalog: Catalog, room: RoomRow) -> Manifest | None:
    try:
        return catalog.manifest(room.app_id, room.app_manifest_version)
    except NotFound:
        return None


def _documents(known: _Known) -> Iterator[Check]:
    changed = [row.id for row in known.locks if digest(row.lock) != row.digest]
    count = "The lock has" if len(known.locks) == 1 else f"All {len(known.locks)} locks have"
    says = f"{count} the digest that it is known by: {known.lock.digest}."
    if changed:
        says = f"Not what their digests were taken of: {', '.join(changed)}."
    yield Check("lock", not changed, says)
    lock, room = known.lock.lock, known.room
    same = (lock.get("appId"), lock.get("manifestVersion")) == (
        room.app_id,
        room.app_manifest_version,
    )
    named = f"{lock.get('appId')} {lock.get('manifestVersion')}"
    says = f"The room and its lock name the same version, {named}."
    if not same:
        says = f"The room names {room.app_id} {room.app_manifest_version}, its lock names {named}."
    yield Check("room", same, says)


def _manifest(known: _Known) -> Iterator[Check]:
    manifest, lock = known.manifest, known.lock.lock
    if manifest is None:
        yield Check("manifest", holds=False, says="The history does not hold the locked version.")
        return
    yield _compared("manifest", "The manifest", manifest.digest, lock.get("manifestDigest"))
    schema = settings_digest(manifest)
    yield _compared(
        "settings schema", "Its settings schema", schema, lock.get("settingsSchemaDigest")
    )
    granted = [str(permission) for permission in sorted(manifest.permissions)]
    says = f"Granted is what the manifest asks for: {', '.join(granted) or 'nothing'}."
    if granted != lock.get("permissions"):
        says = f"Granted is {lock.get('permissions')}, the manifest asks for {granted}."
    yield Check("permissions", granted == lock.get("permissions"), says)


def _compared(what: str, name: str, found: str, locked: object) -> Check:
    if found == locked:
        return Check(what, holds=True, says=f"{name} in the history matches the lock: {found}.")
    says = f"{name} in the history has the digest {found}, the lock names {locked}."
    return Check(what, holds=False, says=says)


def _settings(known: _Known) -> Iterator[Check]:
    manifest = known.manifest
    if manifest is None:
        return
    settings = declared_only(manifest.settings_outline, known.room.app_settings)
    problems = manifest.settings_validator.errors(settings)
    if problems:
        first = problems[0]
        says = f"The settings break the locked manifest at {first.pointer or '/'}: {first.message}"
        yield Check("settings", holds=False, says=says)
        return
    complete = apply_defaults(manifest.settings_outline, settings) == settings
    says = "The settings are valid under the locked manifest, and complete."
    if not complete:
        says = "The settings are valid, but defaults of the locked manifest are missing in them."
    yield Check("settings", complete, says)


def _code(known: _Known, catalog: Catalog) -> Check:
    room, locked = known.room, known.lock.lock.get("target")
    if room.status in ENDED:
        return Check("code", holds=True, says="The room is over: nobody has to answer for it.")
    now = catalog.target(room.app_id, room.app_manifest_version)
    if now is not None and now == locked:
        return Check("code", holds=True, says=f"Answered by {target_name(now)}, as the lock names.")
    noted = known.records[-1] if known.records else None
    explained = noted is not None and noted.digest == digest(now)
    when = f", noted {iso(noted.since)}" if noted is not None and explained else ""
    if now is None:
        reasons = "; ".join(_reasons(catalog, room.app_id))
        because = f" ({reasons})" if reasons else ""
        says = f"Nothing answers{when}: the room is orphaned{because}."
        return Check("code", holds=False, says=f"{says} The lock names {target_name(locked)}.")
    says = f"Answered by {target_name(now)}{when or ', which nothing explains'}"
    return Check("code", explained, f"{says}; the lock names {target_name(locked)}.")


def _reasons(catalog: Catalog, app_id: str) -> Iterator[str]:
    for refused in catalog.refused:
        if refused.app_id == app_id:
            yield from refused.reasons


def _anchor(room: RoomRow, keys: Keys | None) -> Iterator[Check]:
    if keys is None:
        return
    try:
        secret = keys.unseal(room.draw_secret, aad=room.id.encode())
    except SealBroken:
        says = "The secret of the room's draws cannot be opened with the keys of this host."
        yield Check("anchor", holds=False, says=says)
        return
    same = fair.anchor(secret).hex() == room.draw_anchor
    says = f"The secret of the room's draws is the one that was anchored: {room.draw_anchor}."
    if not same:
        says = f"The secret of the room's draws does not lead to its anchor, {room.draw_anchor}."
    yield Check("anchor", same, says)


def _draws(known: _Known) -> Check:
    digests = {row.digest for row in known.locks}
    wrong = {draw.id: fault for draw in known.draws if (fault := _fault(draw, digests))}
    if not wrong:
        count = len(known.draws)
        noun = "draw was" if count == 1 else "draws were"
        says = f"{count} committed {noun} made under the room's locks."
        return Check("draws", holds=True, says=says)
    return Check("draws", holds=False, says=_listed(wrong))


def _fault(draw: DrawRow, digests: set[str]) -> str | None:
    try:
        rule = fair.Rule.model_validate(draw.rule)
    except ValidationError:
        return "its rule cannot be read"
    if rule.digest() != draw.rule_digest:
        return "its rule is not what was committed"
    if rule.lock_digest not in digests:
        return "its rule names a lock that the room never had"
    return None


def _listed(faults: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {fault}" for name, fault in faults.items()) + "."
