"""A post office for tests: a relay on a real database, and an app that answers as it is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import undefer

from mymozhem.clock import Clock, HeldClock
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.callbacks import Callbacks
from mymozhem.deliveries.delivery import Delivery, Outcome, Result
from mymozhem.deliveries.outbox import Outbox, OutboxEntry
from mymozhem.deliveries.relay import Relay
from mymozhem.deliveries.retry_schedule import Schedules
from mymozhem.deliveries.tables import AttemptRow, DeliveryRow, StreamRow
from mymozhem.errors import NotFound
from mymozhem.manifests.model import Manifest

DELIVERED = Result(Outcome.DELIVERED)
ACCEPTED = Result(Outcome.ACCEPTED)
FAILED = Result(Outcome.FAILED, "APP_BAD_STATUS", "The app answered 500.")
PARKED = Result(Outcome.PARKED, "APP_PAUSED", "The app failed too often.")


class NoManifests:
    """A registry without apps: every capability has the operator's schedule."""

    def manifest(self, _app_id: str, _version: str, /) -> Manifest:
        raise NotFound


@dataclass
class App:
    """Answers with the results that it was given, in order, then with a good one."""

    answers: list[Result | Exception] = field(default_factory=list)
    seen: list[Delivery] = field(default_factory=list)

    async def __call__(self, delivery: Delivery, /) -> Result:
        self.seen.append(delivery)
        answer = self.answers.pop(0) if self.answers else DELIVERED
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def numbers(self) -> list[Any]:
        """What it was told, in order."""
        return [delivery.request["n"] for delivery in self.seen]


class Slow(App):
    """Answers when it is let; `asked` is set while it thinks."""

    def __init__(self, *answers: Result) -> None:
        super().__init__([*answers])
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def __call__(self, delivery: Delivery, /) -> Result:
        answer = await super().__call__(delivery)
        self.asked.set()
        await self.let.wait()
        return answer


@dataclass
class RelayHost:
    """What a test does with deliveries."""

    database: Database
    clock: Clock
    outbox: Outbox = field(default_factory=Outbox)
    settings: Settings = field(default_factory=Settings)

    @property
    def schedules(self) -> Schedules:
        return Schedules(NoManifests(), self.settings)

    @property
    def callbacks(self) -> Callbacks:
        return Callbacks(self.database, self.outbox, self.schedules)

    def relay(self, app: App, **options: Any) -> Relay:
        options = {"chance": lambda: 0.0, **options}
        return Relay(self.database, self.outbox, app, self.schedules, self.clock, **options)

    async def run(self, app: App, **options: Any) -> App:
        """Carry what is due."""
        await self.relay(app, **options).run_due()
        return app

    def advance(self, seconds: float) -> None:
        assert isinstance(self.clock, HeldClock)
        self.clock.advance(timedelta(seconds=seconds))

    async def put(self, *numbers: int | str, **named: Any) -> list[str]:
        """Write deliveries of one stream in one transaction."""
        async with self.database.write() as unit:
            return await self.outbox.enqueue(unit, [telling(numbers, **named)])

    async def rows(self) -> list[DeliveryRow]:
        """Return the deliveries by when they were made."""
        async with self.database.read() as session:
            return list(await session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))

    async def row(self) -> DeliveryRow:
        """Return the one delivery."""
        (row,) = await self.rows()
        return row

    async def row_of(self, number: int) -> DeliveryRow:
        """Return the delivery of a number."""
        async with self.database.read() as session:
            rows = await session.scalars(select(DeliveryRow).options(undefer(DeliveryRow.request)))
            return next(row for row in rows if row.request["n"] == number)

    async def states(self) -> list[str]:
        return [row.state.value for row in await self.rows()]

    async def stream(self) -> StreamRow:
        """Return the one stream."""
        async with self.database.read() as session:
            return (await session.scalars(select(StreamRow))).one()

    async def attempts(self) -> list[tuple[int, str, str | None]]:
        """Return number, outcome and code of every attempt."""
        async with self.database.read() as session:
            rows = await session.scalars(
                select(AttemptRow).order_by(AttemptRow.delivery_id, AttemptRow.number)
            )
            return [(row.number, row.outcome.value, row.code) for row in rows]


def telling(
    numbers: Sequence[int | str],
    *,
    app: str = "a",
    capability: str = "analytics",
    room: str | None = "room_1",
    now: Any = None,
) -> OutboxEntry:
    return OutboxEntry(
        app_id=app,
        app_version="1.0.0",
        capability=capability,
        hook="on_event",
        room_id=room,
        context={"contract": "1.0", "big": 10**30},
        requests=[{"n": number} for number in numbers],
        occurred_at=now or HeldClock().now(),
    )
