"""Gather the facts for monitoring from the parts that have them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.auth.tables import UserRow
from mymozhem.clock import ClockJump
from mymozhem.contract import RoomStatus
from mymozhem.contract.hooks import CHECK_HEALTH
from mymozhem.contract.payloads import AppRef, Context, HealthRequest
from mymozhem.deliveries.tables import DeliveryRow, DeliveryState
from mymozhem.dispatch.breakers.breaker import BreakerStatus
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transports.base import AppTarget
from mymozhem.monitoring.call_counts import CallCounts
from mymozhem.monitoring.loop import HealthLoop, HealthParts
from mymozhem.monitoring.sources import (
    AffectedRoom,
    AffectedRooms,
    Checked,
    DeliveryCount,
    Orphans,
    Sources,
)
from mymozhem.monitoring.tables import AppStatus
from mymozhem.observability.metrics import BreakerState, Metrics
from mymozhem.registry.tables import AppRow
from mymozhem.rooms.core.services import Services
from mymozhem.rooms.tables.rooms import RoomRow

#: rooms that an alert lists; the others are counted
NAMED_ROOMS = 10
_WAITING = (DeliveryState.PENDING, DeliveryState.ACCEPTED)


def health_loop(
    services: Services,
    metrics: Metrics,
    histograms: CallCounts,
    orphans: Callable[[], Sequence[Orphans]] = tuple,
    clock_jumps: Callable[[datetime], Sequence[ClockJump]] = lambda _: (),
) -> HealthLoop:
    """Return the monitoring loop of a host; it is not started yet."""
    return HealthLoop(
        HealthParts(
            database=services.database,
            catalog=services.catalog,
            clock=services.clock,
            settings=services.settings,
            metrics=metrics,
            histograms=histograms,
            sources=health_sources(services, orphans, clock_jumps),
        )
    )


def health_sources(
    services: Services,
    orphans: Callable[[], Sequence[Orphans]] = tuple,
    clock_jumps: Callable[[datetime], Sequence[ClockJump]] = lambda _: (),
) -> Sources:
    """Return the sources of facts for the monitoring loop of a host."""

    async def breakers(_: AsyncSession) -> Sequence[BreakerState]:
        return [
            BreakerState(*view.key, state=view.state.value)
            for view in services.breakers.snapshot()
            if view.state is not BreakerStatus.CLOSED
        ]

    async def ask(app_id: str, version: str, /) -> Checked:
        return await ask_health(services, app_id, version)

    return Sources(
        breakers=breakers,
        deliveries=deliveries,
        affected_rooms=affected_rooms,
        recipients=recipients,
        orphans=orphans,
        clock_jumps=clock_jumps,
        ask=ask,
    )


async def ask_health(services: Services, app_id: str, version: str) -> Checked:
    """Call the health check of a version of an app; a failure is a result, too."""
    outcome = await services.dispatcher.call(
        CHECK_HEALTH,
        app=AppTarget(app_id, version),
        context=Context(
            contract=services.catalog.manifest(app_id, version).speaks,
            call_id="",
            app=AppRef(id=app_id, version=version),
            now=services.clock.now(),
            deadline_ms=0,
        ),
        request=HealthRequest(),
        budget=Budget(services.clock, services.settings.max_deadline_ms),
    )
    if outcome.result is not None:
        return Checked(AppStatus(outcome.result.status), outcome.result.details)
    code = outcome.failure.code if outcome.failure is not None else "APP_REFUSED"
    return Checked(AppStatus.FAILED, {"code": code})


async def affected_rooms(session: AsyncSession, app_id: str) -> AffectedRooms:
    """Return the active rooms that are locked to an app, the latest first."""
    of_app = RoomRow.app_id == app_id
    active = (RoomRow.status == RoomStatus.ACTIVE, RoomRow.deleted_at.is_(None), of_app)
    count = await session.scalar(select(func.count()).select_from(RoomRow).where(*active)) or 0
    rows = await session.execute(
        select(RoomRow.id, RoomRow.name)
        .where(*active)
        .order_by(RoomRow.created_at.desc(), RoomRow.id)
        .limit(NAMED_ROOMS)
    )
    return AffectedRooms(tuple(AffectedRoom(*row) for row in rows), count)


async def deliveries(session: AsyncSession) -> Sequence[DeliveryCount]:
    """Count pending and dead deliveries, by app."""
    states = (*_WAITING, DeliveryState.DEAD)
    rows = await session.execute(
        select(DeliveryRow.app_id, DeliveryRow.state, func.count())
        .where(DeliveryRow.state.in_(states))
        .group_by(DeliveryRow.app_id, DeliveryRow.state)
    )
    counted = {(app_id, state): count for app_id, state, count in rows}
    return [
        DeliveryCount(
            app_id,
            pending=sum(counted.get((app_id, state), 0) for state in _WAITING),
            dead=counted.get((app_id, DeliveryState.DEAD), 0),
        )
        for app_id in sorted({app_id for app_id, _ in counted})
    ]


async def recipients(session: AsyncSession, app_id: str | None) -> Sequence[str]:
    """Return the addresses of all admins, and of an app's owner, without duplicates."""
    admins = select(UserRow.email).where(
        UserRow.is_admin, UserRow.deleted_at.is_(None), UserRow.email.is_not(None)
    )
    found = {email for email in await session.scalars(admins) if email}
    if app_id is not None:
        found |= await _owner(session, app_id)
    return sorted(found)


async def _owner(session: AsyncSession, app_id: str) -> set[str]:
    """Return the owner's address: that of their account, else the one in the app's row."""
    query = (
        select(UserRow.email, AppRow.owner_email)
        .select_from(AppRow)
        .outerjoin(UserRow, UserRow.id == AppRow.owner_id)
        .where(AppRow.app_id == app_id)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return set()
    return {address for address in (row[0] or row[1],) if address}
