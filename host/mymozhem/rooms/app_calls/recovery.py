"""Parked calls go on once their app is back, and not only when their time comes."""

from contextlib import suppress

from mymozhem.concurrency.background_tasks import Errands
from mymozhem.dispatch.outcome import FailureKind
from mymozhem.errors import Unavailable
from mymozhem.observability.call_observer import Observed
from mymozhem.rooms.core.services import Services

from .retry import apps_waited_for, schedule_parked

#: an app that fails at some calls and answers others lets its parked ones go once in this time
PAUSE = 60.0

#: apps whose calls are let go at the same time
AT_ONCE = 16

#: says nothing of how the app is
_NEUTRAL = frozenset({FailureKind.BUDGET_SPENT, FailureKind.REFUSED_CALL, FailureKind.STOPPED})


class AppRecovery:
    """Watches calls: the first that an app answers after it failed lets its parked calls go.

    `open` it once the services are there; before that it only watches. Used from one event loop.
    """

    def __init__(self) -> None:
        self._services: Services | None = None
        self._failing: set[str] = set()
        self._let_go: dict[str, float] = {}
        self._errands = Errands("parked calls", most=AT_ONCE)

    async def open(self, services: Services) -> None:
        """Begin; apps that something waits for from before are taken for failing."""
        self._services = services
        with suppress(Unavailable):
            async with services.database.read() as session:
                self._failing |= await apps_waited_for(session)

    async def close(self) -> None:
        """Stop; twice is safe."""
        self._services = None
        await self._errands.close()

    async def settled(self) -> None:
        """Wait until everything that was let go is due."""
        await self._errands.settled()

    def observed(self, call: Observed, /) -> None:
        """Take note of how a call ended."""
        if call.result == "failure":
            if call.failure_code not in _NEUTRAL:
                self._failing.add(call.app_id)
        elif call.app_id in self._failing and self._may_let_go(call.app_id):
            self.on_app_back(call.app_id)

    def on_app_back(self, app_id: str) -> None:
        """Let an app's parked calls go: its breaker has closed, or the operator started it."""
        services = self._services
        if services is None:
            return
        if self._errands.run(lambda: schedule_parked(services, app_id), app=app_id):
            self._failing.discard(app_id)
            self._let_go[app_id] = services.clock.monotonic()

    def _may_let_go(self, app_id: str) -> bool:
        if self._services is None:
            return False
        last = self._let_go.get(app_id)
        return last is None or self._services.clock.monotonic() - last >= PAUSE
