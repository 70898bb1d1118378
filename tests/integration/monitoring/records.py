"""Health with sources made inside the test: what is wrong, who suffers, who is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import DecidedBy
from mymozhem.db.unit_of_work import Database
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.monitoring.loop import HealthLoop, HealthParts
from mymozhem.monitoring.sources import AffectedRoom, AffectedRooms, Checked, DeliveryCount, Sources
from mymozhem.monitoring.tables import AlertRow, AppStatus, OutgoingMailRow
from mymozhem.observability.call_observer import Observed
from mymozhem.observability.metrics import BreakerState, Metrics
from mymozhem.registry.catalog import Catalog

ROOMS = (AffectedRoom("room_1", "Summer raffle"), AffectedRoom("room_2", "Quiz\r\nBcc: x@y.z"))
OPEN = BreakerState("raffle", "1.0.0", "actions", "open")


def observed(**changes) -> Observed:
    given = {
        "app_id": "raffle", "version": "1.0.0", "capability": "actions", "hook": "handle_action",
        "room_id": "room_1", "result": "success", "failure_code": None,
        "decided_by": DecidedBy.APP, "duration_ms": 30.0, "deadline_ms": 5_000, "attempt": 1,
        "reached": True,
    }  # fmt: skip
    return Observed(**given | changes)


def failed(code: str = "APP_TIMEOUT", **changes) -> Observed:
    given = {"result": "failure", "failure_code": code, "decided_by": DecidedBy.FALLBACK}
    return observed(**given | changes)


@dataclass
class MonitoredHost:
    """What the sources say; a test changes it."""

    breakers: list[BreakerState] = field(default_factory=list)
    deliveries: list[DeliveryCount] = field(default_factory=list)
    affected_rooms: AffectedRooms = field(default_factory=AffectedRooms)
    people: dict[str | None, Sequence[str]] = field(default_factory=dict)
    health: Checked = field(default_factory=lambda: Checked(AppStatus.OK, {}))
    asked: list[tuple[str, str]] = field(default_factory=list)

    def sources(self) -> Sources:
        async def breakers(_):
            return self.breakers

        async def deliveries(_):
            return self.deliveries

        async def affected_rooms(_, __):
            return self.affected_rooms

        async def recipients(_, app_id):
            return self.people.get(app_id, ["admin@example.org"])

        async def ask(app_id: str, version: str, /) -> Checked:
            self.asked.append((app_id, version))
            return self.health

        return Sources(breakers, deliveries, affected_rooms, recipients, ask=ask)


def health(
    database: Database,
    clock: Clock,
    world: MonitoredHost,
    catalog: Catalog | None = None,
    counts: CallCounts | None = None,
    pace: float = 1.0,
    **settings,
) -> HealthLoop:
    given = {"quiet_hours": "", "public_url": "https://events.example.org"} | settings
    return HealthLoop(
        HealthParts(
            database, catalog or Catalog([], []), clock, Settings(**given), Metrics(),
            counts or CallCounts(clock), world.sources(),
        ),
        pace=pace,
    )  # fmt: skip


async def alerts(database: Database) -> list[AlertRow]:
    async with database.read() as session:
        return list(await session.scalars(select(AlertRow).order_by(AlertRow.id)))


async def letters(database: Database) -> list[OutgoingMailRow]:
    async with database.read() as session:
        return list(await session.scalars(select(OutgoingMailRow).order_by(OutgoingMailRow.id)))
