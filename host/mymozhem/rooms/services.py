"""What every use case needs: put together once, in the composition root."""

import asyncio
from dataclasses import dataclass, field

from mymozhem.auth.keys import Keys
from mymozhem.clock import Clock, SystemClock
from mymozhem.config import Settings
from mymozhem.db.uow import Database
from mymozhem.deliveries.outbox import Outbox
from mymozhem.dispatch.breakers import Breakers
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.registry.catalog import Catalog

from .applications import Arrival, Joined
from .arrivals import Arrivals
from .batches import Batches
from .calls import OpenCalls
from .queues import RoomQueues
from .windows.arriving import Accepted, Arriving
from .windows.lines import Lines
from .workshop import Workshop


@dataclass(frozen=True)
class Services:
    """The parts of the host that use cases work with.

    `wake` is set after a commit that leaves work for the jobs of this process; `workshop` is where
    large draws are computed. `submissions` are on their way to being committed; `judges` are the
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
    queues: RoomQueues = field(default_factory=RoomQueues)
    batches: Batches = field(default_factory=Batches)
    arrivals: Arrivals[Arrival, Joined] = field(default_factory=Arrivals)
    submissions: Lines[Arriving, Accepted] = field(default_factory=Lines)
    judges: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    calls: OpenCalls = field(default_factory=OpenCalls)
    outbox: Outbox = field(default_factory=Outbox)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    workshop: Workshop = field(default_factory=Workshop)
    breakers: Breakers = field(default_factory=lambda: Breakers(SystemClock()))
