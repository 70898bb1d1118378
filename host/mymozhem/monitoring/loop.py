"""The monitoring loop of a host process: writes counts, checks apps, raises alerts, sends mails."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from mymozhem.clock import Clock
from mymozhem.concurrency.periodic_task import PeriodicTask
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.errors import Unavailable
from mymozhem.observability.metrics import LagWatch, Metrics
from mymozhem.registry.catalog import Catalog
from mymozhem.registry.tables import AppRow, StopCause

from . import call_counts, health_checks, mail_queue
from .alert_mails import AlertMailer
from .alert_rules import AppOff, Facts, due_alerts
from .call_counts import CallCounts
from .call_statistics import call_statistics
from .cluster_turns import run_once_per_cluster
from .incidents import reconcile
from .quiet_hours import QuietHours
from .smtp import Mailer
from .sources import Sources

logger = structlog.stdlib.get_logger(__name__)

#: seconds between two flushes of the counts, and between two polls of the mails
TICK = 10.0
LOOK_EVERY = timedelta(seconds=30)
CHECK_EVERY = timedelta(minutes=5)
CLEAN_EVERY = timedelta(hours=1)
#: tolerance in seconds for the difference between this clock and the database's
_EARLY = timedelta(seconds=1)


@dataclass(frozen=True)
class HealthParts:
    """The collaborators of the loop."""

    database: Database
    catalog: Catalog
    clock: Clock
    settings: Settings
    metrics: Metrics
    histograms: CallCounts
    sources: Sources


class HealthLoop:
    """Runs in every process; a task for the whole cluster runs in the first one to ask for it.

    `pace` scales the time between its steps; tests make it short.
    """

    def __init__(self, parts: HealthParts, *, pace: float = 1.0) -> None:
        self._parts = parts
        self._pace = pace
        mailer = Mailer.of(parts.settings)
        if mailer is None:
            logger.info("no mail server is set: `mymozhem alerts` and /admin/alerts show alerts")
        self._postman = (
            mail_queue.MailSender(parts.database, mailer, parts.clock)
            if mailer is not None
            else None
        )
        self._teller = AlertMailer(
            parts.sources,
            QuietHours.of(parts.settings),
            parts.settings.effective_public_url,
            mails=mailer is not None,
        )
        self._lag = LagWatch(parts.metrics)
        # Separate tasks, so that none waits for another.
        self._counting = self._task("counts", self.write_counts, TICK)
        self._tasks = (
            self._counting,
            self._task("clean", self.clean, CLEAN_EVERY.total_seconds() / 6),
            self._task("checks", self.check, LOOK_EVERY.total_seconds()),
            self._task("alerts", self.look, LOOK_EVERY.total_seconds()),
            self._task("mails", self.send_mails, TICK),
        )

    def start(self) -> None:
        """Start in the running event loop. Idempotent."""
        self._lag.start()
        for task in self._tasks:
            task.start()

    def start_counting(self) -> None:
        """Start to write this process's counts, and leave all else to hosts. Idempotent."""
        self._counting.start()

    async def stop(self) -> None:
        """Stop, and write the last counts. Idempotent."""
        await self._counting.finish()  # an interrupted write would lose its counts
        await asyncio.gather(*(task.stop() for task in self._tasks))
        await self._lag.stop()
        with suppress(Unavailable):  # only a few seconds of counts are lost
            await self.write_counts()

    async def run_due(self) -> None:
        """Do everything that is due now except mails, once; for tests that control the clock."""
        await self.write_counts()
        await self.clean()
        await self.check()
        await self.look()

    async def write_counts(self) -> None:
        """Add the counts of this process to the table."""
        await self._parts.histograms.flush(self._parts.database)

    async def clean(self) -> None:
        """Delete old rows, if it is this process's turn."""
        if not await run_once_per_cluster(self._parts.database, "clean", every=CLEAN_EVERY):
            return
        await call_counts.forget_old(self._parts.database)
        await mail_queue.forget_old(self._parts.database)

    async def check(self) -> None:
        """Check the apps' health, if it is this process's turn."""
        ask, database = self._parts.sources.ask, self._parts.database
        if ask is None or not await run_once_per_cluster(
            database, "checks", every=CHECK_EVERY - _EARLY
        ):
            return
        async with database.read() as session:
            off = await _apps_off(session)
        asked = health_checks.targets(self._parts.catalog, off=[app.app_id for app in off])
        await health_checks.check_all(database, asked, ask)

    async def look(self) -> None:
        """Update the metrics; evaluate the alerts, if it is this process's turn."""
        facts = await self._facts()
        self._show(facts)
        if await run_once_per_cluster(self._parts.database, "alerts", every=LOOK_EVERY - _EARLY):
            await self.evaluate(facts)

    async def evaluate(self, facts: Facts) -> None:
        """Open, close and announce alerts, in one transaction."""
        async with self._parts.database.write() as unit:
            await reconcile(unit, due_alerts(facts), self._parts.sources)
            await unit.session.flush()
            await self._teller.tell(unit)

    async def send_mails(self) -> None:
        """Send the mails that are due; does nothing if no mail server is configured."""
        if self._postman is not None:
            await self._postman.send_due()

    async def _facts(self) -> Facts:
        now = self._parts.clock.now()
        sources = self._parts.sources
        async with self._parts.database.read() as session:
            return Facts(
                hour=await call_statistics(session, "1h", now),
                breakers=await sources.breakers(session),
                deliveries=await sources.deliveries(session),
                checks=await health_checks.checked(session),
                off=await _apps_off(session),
                orphans=sources.orphans(),
                clock_jumps=sources.clock_jumps(now - timedelta(hours=1)),
            )

    def _show(self, facts: Facts) -> None:
        counts = facts.deliveries
        self._parts.metrics.breakers(facts.breakers)
        self._parts.metrics.deliveries(
            {
                "pending": sum(each.pending for each in counts),
                "dead": sum(each.dead for each in counts),
            }
        )

    def _task(self, name: str, work: Callable[[], Awaitable[None]], seconds: float) -> PeriodicTask:
        async def step() -> None:
            try:
                await work()
            except Unavailable as error:
                logger.warning("health waits for the database", code=error.code)

        return PeriodicTask(f"health: {name}", step, every=seconds * self._pace)


async def _apps_off(session: AsyncSession) -> list[AppOff]:
    rows = await session.scalars(
        select(AppRow).where(AppRow.stopped_at.is_not(None), AppRow.deleted_at.is_(None))
    )
    return [
        AppOff(row.app_id, row.manifest_version, row.stop_cause is StopCause.GONE, row.stop_reason)
        for row in rows
    ]
