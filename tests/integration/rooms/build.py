"""A house for tests: real services on a real database, with apps written inside the test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import func, select

from mymozhem.auth.accounts import create_user
from mymozhem.auth.keys import Keys
from mymozhem.auth.principal import Principal
from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import JsonObject, PersonKind, RoomStatus
from mymozhem.db.uow import Database
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.registry import history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.code import AppCode
from mymozhem.registry.discovery import Discovered
from mymozhem.registry.loader import load
from mymozhem.rooms.applications import Joined
from mymozhem.rooms.creation import NewRoom, create_room
from mymozhem.rooms.joining import join
from mymozhem.rooms.lifecycle import RoomChanges, change_room
from mymozhem.rooms.prizes import NewPrize, create_prize
from mymozhem.rooms.services import Services
from mymozhem.rooms.tables import RoomEventRow, RoomRow


def loaded(plugin: object, app_id: str) -> AppCode:
    """Load an app as the host does, as if a distribution had brought it."""
    entry_point = SimpleNamespace(
        load=lambda: plugin, name=app_id, value="test", group="mymozhem.apps"
    )
    found = load(Discovered(app_id, entry_point, f"test-{app_id}", "1.0.0"))  # type: ignore[arg-type]  # as an entry point
    assert isinstance(found, AppCode), found
    return found


@dataclass
class House:
    """Services and an organizer; `start` makes a room that people can join at once."""

    services: Services
    organizer: Principal
    codes: Mapping[str, AppCode] = field(default_factory=dict)

    async def room(
        self, app_id: str, *, settings: JsonObject | None = None, **wishes: object
    ) -> RoomRow:
        """Make a room in DRAFT."""
        new = NewRoom(name="Evening", app_id=app_id, settings=settings or {}, **wishes)
        return await create_room(self.services, self.organizer, new)

    async def start(
        self, app_id: str, *, settings: JsonObject | None = None, **wishes: object
    ) -> RoomRow:
        """Make a room and start it."""
        room = await self.room(app_id, settings=settings, **wishes)
        return await self.change(room.id, status=RoomStatus.ACTIVE)

    async def change(self, room_id: str, **changes: Any) -> RoomRow:
        """Change a room as its organizer."""
        wanted = RoomChanges(**changes)
        return await change_room(self.services, room_id, self.organizer, wanted)

    async def guest(
        self, room: RoomRow, name: str = "Ada", answers: JsonObject | None = None
    ) -> Joined:
        """Let a guest in."""
        return await join(self.services, room.code, None, name=name, answers=answers or {})

    async def guests(self, room: RoomRow, count: int) -> list[Joined]:
        """Let several guests in, one after the other."""
        return [await self.guest(room, f"Guest {number}") for number in range(1, count + 1)]

    async def prize(self, room: RoomRow, quantity: int = 1, name: str = "Bicycle") -> str:
        """Add a prize and return its id."""
        new = NewPrize(name=name, quantity=quantity)
        return (await create_prize(self.services, room.id, self.organizer, new)).id

    async def person(self, email: str, *, is_admin: bool = False) -> Principal:
        """Make an account."""
        async with self.services.database.write() as unit:
            user = await create_user(
                unit,
                email=email,
                name=email.partition("@")[0],
                password_hash="x",
                is_admin=is_admin,
            )
        return Principal(user.id, PersonKind.REGISTERED, None, "token")

    async def events(self, room_id: str, *types: str) -> list[RoomEventRow]:
        """Return the events of a room in order, of the given types or all."""
        async with self.services.database.read() as session:
            query = select(RoomEventRow).where(RoomEventRow.room_id == room_id)
            if types:
                query = query.where(RoomEventRow.type.in_(types))
            return list((await session.scalars(query.order_by(RoomEventRow.seq))).all())

    async def count(self, table: type, **where: object) -> int:
        """Count rows."""
        async with self.services.database.read() as session:
            query = select(func.count()).select_from(table).filter_by(**where)
            return cast("int", await session.scalar(query))


def principal(joined: Joined) -> Principal:
    """Return somebody who joined as a caller."""
    room_id = joined.room.id if joined.kind is PersonKind.GUEST else None
    return Principal(joined.user_id, joined.kind, room_id, "token")


async def make_services(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> Services:
    """Wire services with these apps, published in the database."""
    settings = Settings(data_dir=folder, environment="test")
    codes = [loaded(plugin, app_id) for app_id, plugin in apps.items()]
    async with database.write() as unit:
        for code in codes:
            await history.publish(unit, code.app_id, code.manifest)
    async with database.read() as session:
        published = await history.versions(session)
    catalog = Catalog(codes, published)
    return Services(
        database=database,
        catalog=catalog,
        dispatcher=Dispatcher(catalog, clock, settings),
        keys=Keys.load(settings),
        clock=clock,
        settings=settings,
    )


async def make_house(
    database: Database, clock: Clock, folder: Path, apps: Mapping[str, object]
) -> House:
    """Wire services with these apps, and make an organizer."""
    services = await make_services(database, clock, folder, apps)
    house = House(services, Principal("", PersonKind.REGISTERED, None, "token"))
    house.organizer = await house.person("organizer@example.com")
    return house
