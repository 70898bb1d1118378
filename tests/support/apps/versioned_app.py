"""An app in several versions, as its author would publish them, and a house that installs them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mymozhem.audit.tables import AuditRow
from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock
from mymozhem.contract import Context, Effects, JsonObject, PersonKind, PreparedDraw, hookimpl
from mymozhem.db.unit_of_work import Database
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.jobs.runner import Jobs
from mymozhem.rooms.replay import Replayed, replay
from mymozhem.rooms.tables.locks import RoomLockRow
from mymozhem.rooms.tables.rooms import RoomRow, RoomStateRow
from mymozhem.rooms.upgrades.procedure import Moved
from mymozhem.rooms.upgrades.upgrade import UpgradeRequest, upgrade_room
from mymozhem.rooms.views.snapshot import snapshot
from tests.support.host import HostHarness, make_services

SERVES_ALL = ">=1.0.0,<9"
CAPABILITIES = ("actions", "winnerSelection", "timers", "windows", "roomChanges")


def settings_schema(required: tuple[str, ...] = (), **properties: JsonObject) -> JsonObject:
    """Return a schema of settings that takes these alone."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


#: the settings of the first version
FIRST = settings_schema(
    title={"type": "string", "default": "Evening", "title": "Title"},
    limit={"type": "integer", "default": 3},
)


class VersionedApp:
    """One version of the app; `migrate` and `validate` stand in for its hooks."""

    def __init__(
        self, version: str = "1.0.0", settings: JsonObject = FIRST, **manifest: Any
    ) -> None:
        self.version = version
        self.settings = settings
        self.more = manifest
        self.migrate: Callable[[Context, Any], object] | None = None
        self.validate: Callable[[Context, Any], object] | None = None
        self.asked: list[tuple[str, Context, Any]] = []

    @hookimpl
    def app_manifest(self) -> JsonObject:
        more = dict(self.more)
        also = more.pop("capabilities", ())
        return {
            "id": "shop",
            "meta": {"name": "Shop", "version": self.version, "description": "Sells."},
            "capabilities": [*CAPABILITIES, *also],
            "permissions": [],
            "serves": SERVES_ALL,
            "settings": self.settings,
            "changes": ["settings"],
            "actions": {"do": {"when": ["DRAFT", "ACTIVE"], "payload": {"type": "object"}}},
            **more,
        }

    @hookimpl
    def migrate_settings(self, context: Context, request: Any) -> object:
        self.asked.append(("migrate", context, request))
        assert self.migrate is not None
        return self.migrate(context, request)

    @hookimpl
    def validate_settings(self, context: Context, request: Any) -> object:
        self.asked.append(("validate", context, request))
        return self.validate(context, request) if self.validate else None

    @hookimpl
    def handle_action(self, context: Context, request: Any) -> object:
        self.asked.append(("action", context, request))
        return {"effects": request.payload.get("effects", [])}

    @hookimpl
    def on_room_changed(self, context: Context, request: Any) -> object:
        self.asked.append((request.change.kind.value, context, request))
        return Effects()

    @hookimpl
    def on_timer(self, context: Context, request: Any) -> object:
        self.asked.append((request.name, context, request))
        return Effects()

    @hookimpl
    def prepare_draw(self) -> object:
        return PreparedDraw()

    @hookimpl
    def close_window(self) -> object:
        return None

    def was_asked(self, what: str) -> list[tuple[Context, Any]]:
        """Return context and request of each call of a kind."""
        return [(context, request) for kind, context, request in self.asked if kind == what]


@dataclass
class VersionedHost:
    """A house whose app is updated now and then, as `pip install --upgrade` and a restart do."""

    database: Database
    clock: Clock
    folder: Path
    host: HostHarness
    apps: dict[str, VersionedApp] = field(default_factory=dict)

    async def install(self, *versions: VersionedApp) -> VersionedApp:
        """Install versions one after the other; the last is the one that runs."""
        for app in versions:
            await self.host.services.dispatcher.close()
            self.host.services = await make_services(
                self.database, self.clock, self.folder, {"shop": app}
            )
            self.apps[app.version] = app
        return versions[-1]

    async def room(
        self, settings: JsonObject | None = None, state: Mapping[str, JsonObject] | None = None
    ) -> RoomRow:
        """Make a draft, with a state where one is given."""
        room = await self.host.room("shop", settings=settings)
        if state is not None:
            await self.host.act(room, "do", {"effects": [{"effect": "setState", **state}]})
        return await self.now(room)

    async def upgrade(self, room: RoomRow, target: str, **wishes: Any) -> Moved:
        """Move a room as its organizer."""
        wish = UpgradeRequest(target=target, **wishes)
        return await upgrade_room(self.host.services, room.id, self.host.organizer, wish)

    async def plan(self, room: RoomRow, target: str, **wishes: Any) -> Any:
        """Plan it, and see that nothing was written."""
        before = await self.all_of(room)
        moved = await self.upgrade(room, target, dry_run=True, **wishes)
        assert not moved.moved
        assert await self.all_of(room) == before
        return moved.plan

    async def now(self, room: RoomRow) -> RoomRow:
        """Return a room as it is stored by now."""
        async with self.database.read() as session:
            return await session.get_one(RoomRow, room.id)

    async def state(self, room: RoomRow) -> JsonObject:
        """Return the parts of a room's state."""
        async with self.database.read() as session:
            row = await session.get_one(RoomStateRow, room.id)
        return {"public": row.public, "organizer": row.organizer, "private": row.private}

    async def locks(self, room: RoomRow) -> list[RoomLockRow]:
        """Return the locks of a room, the oldest first."""
        async with self.database.read() as session:
            query = select(RoomLockRow).where(RoomLockRow.room_id == room.id)
            return list(await session.scalars(query.order_by(RoomLockRow.id)))

    async def all_of(self, room: RoomRow) -> JsonObject:
        """Return everything that an upgrade could change."""
        row = await self.now(room)
        return {
            "version": row.version,
            "lock": row.lock_id,
            "manifest": row.app_manifest_version,
            "settings": row.app_settings,
            "settingsVersion": row.settings_version,
            "state": await self.state(room),
            "log": row.last_seq,
            "locks": len(await self.locks(room)),
            "audit": await self.host.count(AuditRow),
        }

    async def replayed(self, room: RoomRow) -> Replayed:
        """Replay the log of a room."""
        events = await self.host.events(room.id)
        return replay(
            {"seq": each.seq, "stream": each.stream, "type": each.type, "payload": each.payload}
            for each in events
        )

    async def shown(self, room: RoomRow) -> Any:
        """Return what the organizer is shown of the room's state."""
        async with self.database.read() as session:
            seat = await find_membership(session, room.id, self.host.organizer)
            return await snapshot(session, seat, now=self.clock.now())

    async def work(self) -> None:
        """Do what is due."""
        await Jobs(self.host.services).run_due()


async def open_versioned_host(database: Database, clock: Clock, folder: Path) -> VersionedHost:
    """Open a house with the first version of the app."""
    app = VersionedApp()
    services = await make_services(database, clock, folder, {"shop": app})
    host = HostHarness(services, Principal("", PersonKind.REGISTERED, None, "token"))
    host.organizer = await host.person("organizer@example.com")
    return VersionedHost(database, clock, folder, host, {app.version: app})
