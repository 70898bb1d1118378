"""The services that use cases need, created once in the composition root."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from mymozhem.auth.keys import Keys
from mymozhem.auth.revocations import Revocations
from mymozhem.auth.sessions import Sessions
from mymozhem.clock import Clock, SystemClock
from mymozhem.concurrency.compute_pool import ComputePool
from mymozhem.concurrency.costly_pool import CostlyPool
from mymozhem.concurrency.keyed_batcher import KeyedBatcher
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.outbox import Outbox
from mymozhem.dispatch.breakers.registry import Breakers
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.observability.call_observer import AppReport
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.coordination.action_batches import ActionBatches
from mymozhem.rooms.coordination.in_flight_calls import InFlightCalls
from mymozhem.rooms.coordination.join_batches import (
    MAX_JOINS,
    AnsweredJoin,
    FoundRoom,
    JoinResult,
)
from mymozhem.rooms.coordination.known_locks import KnownLocks
from mymozhem.rooms.coordination.room_mutex import RoomMutexes
from mymozhem.rooms.coordination.submission_batches import (
    MAX_SUBMISSIONS,
    AcceptedSubmission,
    PendingSubmission,
)
from mymozhem.rooms.coordination.timer_rates import TimerRates


def _ignore(_: AppReport) -> None:
    """Show nobody what an app does wrong: nobody watches."""


@dataclass(frozen=True)
class Services:
    """The parts of the host that use cases work with.

    `wake` is set after a commit that leaves work for the jobs of this process. `compute_pool`
    computes large draws, `costly` what callers request besides. `room_lookups` share the lookups of
    a room by its code, by user id (None for callers without a token). `joins` and `submissions` are
    batches by room; what is submitted waits for its commit. `imports` writes the parts of imports
    one after the other, by room, and `results` those of windows. `judges` are the tasks in which
    apps judge windows, by window. `known_locks` are locks that were read before. `in_flight_calls`
    are the running calls of apps. `outbox` takes notifications for apps.
    `breakers` are those of the dispatcher.
    `timer_rates` know how often timers fire. `report_app` shows operators what an app does wrong.
    """

    database: Database
    catalog: Catalog
    dispatcher: Dispatcher
    keys: Keys
    clock: Clock
    settings: Settings
    room_mutexes: RoomMutexes = field(default_factory=RoomMutexes)
    action_batches: ActionBatches = field(default_factory=ActionBatches)
    room_lookups: KeyedBatcher[str, str | None, FoundRoom] = field(
        default_factory=lambda: KeyedBatcher(max_size=MAX_JOINS)
    )
    joins: KeyedBatcher[str, AnsweredJoin, JoinResult] = field(
        default_factory=lambda: KeyedBatcher(max_size=MAX_JOINS)
    )
    submissions: KeyedBatcher[str, PendingSubmission, AcceptedSubmission] = field(
        default_factory=lambda: KeyedBatcher(max_size=MAX_SUBMISSIONS)
    )
    imports: KeyedBatcher[str, str, None] = field(default_factory=lambda: KeyedBatcher(max_size=1))
    results: KeyedBatcher[str, str, None] = field(default_factory=lambda: KeyedBatcher(max_size=1))
    timer_rates: TimerRates = field(default_factory=TimerRates)
    report_app: Callable[[AppReport], None] = _ignore
    known_locks: KnownLocks = field(default_factory=KnownLocks)
    judges: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    in_flight_calls: InFlightCalls = field(default_factory=InFlightCalls)
    outbox: Outbox = field(default_factory=Outbox)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    compute_pool: ComputePool = field(default_factory=ComputePool)
    costly: CostlyPool = field(default_factory=CostlyPool)
    breakers: Breakers = field(default_factory=lambda: Breakers(SystemClock()))

    @cached_property
    def revocations(self) -> Revocations:
        """What is revoked; a host opens it, so that it follows other processes."""
        return Revocations(self.database)

    @cached_property
    def sessions(self) -> Sessions:
        """The sessions of people with an account."""
        return Sessions(self.database, self.keys, self.settings, self.revocations)
