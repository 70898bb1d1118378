"""What every use case needs: put together once, in the composition root."""

import asyncio
from dataclasses import dataclass, field

from mymozhem.auth.keys import Keys
from mymozhem.clock import Clock, SystemClock
from mymozhem.concurrency.compute_pool import ComputePool
from mymozhem.concurrency.keyed_batcher import Lines
from mymozhem.config import Settings
from mymozhem.db.unit_of_work import Database
from mymozhem.deliveries.outbox import Outbox
from mymozhem.dispatch.breakers.registry import Breakers
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.registry.catalog import Catalog
from mymozhem.rooms.coordination.action_batches import Batches
from mymozhem.rooms.coordination.in_flight_calls import InFlightCalls
from mymozhem.rooms.coordination.join_batches import AnsweredJoin, Arrivals, JoinResult
from mymozhem.rooms.coordination.room_mutex import RoomMutexes
from mymozhem.rooms.coordination.submission_batches import AcceptedSubmission, PendingSubmission


@dataclass(frozen=True)
class Services:
    """The parts of the host that use cases work with.

    `wake` is set after a commit that leaves work for the jobs of this process. `compute_pool`
    computes large draws. `submissions` are on their way to being committed; `judges` are the
    tasks that have windows judged, by window; `calls` are those that apps are asked now;
    `outbox` is where goes what apps are to be told.
    `breakers` are those that the dispatcher asks.
    """

    database: Database
    catalog: Catalog
    dispatcher: Dispatcher
    keys: Keys
    clock: Clock
    settings: Settings
    room_mutexes: RoomMutexes = field(default_factory=RoomMutexes)
    batches: Batches = field(default_factory=Batches)
    arrivals: Arrivals[AnsweredJoin, JoinResult] = field(default_factory=Arrivals)
    submissions: Lines[PendingSubmission, AcceptedSubmission] = field(default_factory=Lines)
    judges: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    in_flight_calls: InFlightCalls = field(default_factory=InFlightCalls)
    outbox: Outbox = field(default_factory=Outbox)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    compute_pool: ComputePool = field(default_factory=ComputePool)
    breakers: Breakers = field(default_factory=lambda: Breakers(SystemClock()))
