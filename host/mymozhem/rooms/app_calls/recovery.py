"""Retry parked calls as soon as their app is back."""

from contextlib import suppress

from mymozhem.dispatch.outcome import FailureKind
from mymozhem.errors import Unavailable
from mymozhem.observability.call_observer import Observed
from mymozhem.rooms.core.call_listener import CallListener
from mymozhem.rooms.core.services import Services

from .retry import apps_waited_for, schedule_parked

#: an app that fails at some calls and answers others lets its parked ones go once in this time
PAUSE = 60.0

#: apps whose calls are made due at the same time
AT_ONCE = 16

#: says nothing of how the app is
_NEUTRAL = frozenset({FailureKind.BUDGET_SPENT, FailureKind.REFUSED_CALL, FailureKind.STOPPED})


class AppRecovery(CallListener):
    """Watches calls: the first success of an app after a failure makes its parked calls due.

    Before it is open it only watches. Used from one event loop.
    """

    def __init__(self) -> None:
        super().__init__("parked calls", limit=AT_ONCE)
        self._failing: set[str] = set()
        self._let_go: dict[str, float] = {}

    async def open(self, services: Services) -> None:
        """Start; apps with calls that already wait count as failing."""
        await super().open(services)
        with suppress(Unavailable):
            async with services.database.read() as session:
                self._failing |= await apps_waited_for(session)

    def observed(self, call: Observed, /) -> None:
        """Note how a call ended."""
        if call.result == "failure":
            if call.failure_code not in _NEUTRAL:
                self._failing.add(call.app_id)
        elif call.app_id in self._failing and self._may_let_go(call.app_id):
            self.on_app_back(call.app_id)

    def on_app_back(self, app_id: str) -> None:
        """Make an app's parked calls due: its breaker has closed, or it can be called again."""
        services = self._services
        if services is None:
            return
        if self._tasks.run(lambda: schedule_parked(services, app_id), app=app_id):
            self._failing.discard(app_id)
            self._let_go[app_id] = services.clock.monotonic()

    def _may_let_go(self, app_id: str) -> bool:
        if self._services is None:
            return False
        last = self._let_go.get(app_id)
        return last is None or self._services.clock.monotonic() - last >= PAUSE
