"""A process that writes events and has an app told of them, until it is killed.

Each event that it has committed is a line of JSON on the standard output. Asked to `finish` it
writes none, and carries deliveries until each is delivered or dead.
"""

import asyncio
import json
import os
from datetime import timedelta
from itertools import count

from sqlalchemy import select

from mymozhem.clock import SystemClock
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.relay import Relay
from mymozhem.deliveries.retry_schedule import Schedules
from mymozhem.deliveries.tables import DeliveryRow
from mymozhem.observability.logging import configure_logging
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.core.transaction import room_transaction
from mymozhem.wiring.deliveries import AppDeliverySender
from mymozhem.wiring.process import Parts, open_parts
from tests.faults.host_child import Fuse, lay
from tests.support.apps.delivery_app import APP

LEASE = timedelta(milliseconds=800)


def settings_of(url: str, folder: str) -> Settings:
    return Settings(
        database_url=url,
        data_dir=folder,
        environment="test",
        allow_networks="127.0.0.0/8",
        delivery_wait_seconds=0,
        log_level="error",
    )


def relay_of(services: Services) -> Relay:
    courier = AppDeliverySender(services.dispatcher, services.clock, services.settings)
    schedules = Schedules(services.catalog, services.settings)
    return Relay(
        services.database,
        services.outbox,
        courier,
        schedules,
        services.clock,
        lease=LEASE,
        poll=0.1,
        width=4,
    )


def say(**facts: object) -> None:
    """Write a line at once: what was said is known, whatever happens next."""
    os.write(1, json.dumps(facts).encode() + b"\n")


async def main(url: str, folder: str, steps: int, mode: str, rooms: list[str]) -> None:
    settings = settings_of(url, folder)
    configure_logging(settings)
    async with open_parts(settings, SystemClock(), exclusive=False) as parts:
        relay = relay_of(parts.services)
        lay(Fuse(steps or 1_000_000), parts.services.database)
        relay.start()
        say(ready=True)
        if mode == "finish":
            while await unfinished(parts.services.database):  # noqa: ASYNC110 - it is in there
                await asyncio.sleep(0.05)
        else:
            await asyncio.gather(*(write(parts, room) for room in rooms))
        await relay.stop()


async def write(parts: Parts, room_id: str) -> None:
    """Write one event after the other; numbers are this process's own."""
    for number in count(1):
        payload = {"n": number, "by": os.getpid()}
        async with room_transaction(parts.services, room_id) as writer:
            writer.record_raw(f"{APP}:said", payload, to="public")
        say(room=room_id, **payload)
        await asyncio.sleep(0.02)


async def unfinished(database: Database) -> bool:
    async with database.read() as session:
        live = select(DeliveryRow.id).where(DeliveryRow.settled_at.is_(None)).limit(1)
        return await session.scalar(live) is not None
