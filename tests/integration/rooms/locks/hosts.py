"""Hosts that start anew, with other code than before, and what they say of rooms."""

from dataclasses import replace

from sqlalchemy import select

from mymozhem.contract import JsonObject, hookimpl
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.registry import manifest_history
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.loaded_code import AppCode
from mymozhem.rooms.core.membership import find_membership
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.locks import RoomServedByRow
from mymozhem.rooms.tables.notifications import NotificationRow
from mymozhem.rooms.views.locks import LockView, room_lock
from tests.support.apps.draw_app import DrawApp
from tests.support.host import HostHarness, loaded


class Newer(DrawApp):
    """The next version, whose code answers for rooms of the one before."""

    @hookimpl
    def app_manifest(self) -> JsonObject:
        manifest = super().app_manifest()
        meta = manifest["meta"] | {"version": "1.1.0"}
        return manifest | {"meta": meta, "serves": ">=1.0.0,<2"}


def released(plugin: object, version: str) -> AppCode:
    """Load an app as a distribution of a version brings it."""
    return replace(loaded(plugin, "drawer"), distribution_version=version)


async def started(services: Services, *codes: AppCode) -> Services:
    """Return the services of a host that starts with this code on the same database."""
    database = services.database
    async with database.write() as unit:
        for code in codes:
            await manifest_history.publish(unit, code.app_id, code.manifest)
    async with database.read() as session:
        catalog = Catalog(codes, await manifest_history.versions(session))
    dispatcher = Dispatcher(catalog, services.clock, services.settings)
    return Services(database, catalog, dispatcher, services.keys, services.clock, services.settings)


async def lock_of(host: HostHarness, services: Services, room_id: str) -> LockView:
    """Return the lock as the organizer sees it at a host."""
    async with services.database.read() as session:
        seat = await find_membership(session, room_id, host.organizer)
        return await room_lock(session, services.catalog, seat)


async def records(services: Services, room_id: str) -> list[str | None]:
    """Return the distribution versions that were noted of a room, in order; None is nothing."""
    async with services.database.read() as session:
        rows = await session.scalars(
            select(RoomServedByRow)
            .where(RoomServedByRow.room_id == room_id)
            .order_by(RoomServedByRow.since, RoomServedByRow.id)
        )
        return [row.target and row.target["version"] for row in rows]


async def titles(services: Services, room_id: str) -> list[str]:
    """Return the titles of the messages to people of a room."""
    async with services.database.read() as session:
        rows = await session.scalars(
            select(NotificationRow)
            .where(NotificationRow.room_id == room_id)
            .order_by(NotificationRow.id)
        )
        return [row.title for row in rows]
