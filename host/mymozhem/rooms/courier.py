"""The courier of deliveries: it asks apps by the dispatcher, and says what came of it."""

from pydantic import BaseModel, ValidationError

from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import HOOKS, Context
from mymozhem.deliveries.carrying import Delivery, Result
from mymozhem.deliveries.carrying import Outcome as Carried
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.outcome import FailureKind, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transport import AppTarget
from mymozhem.errors import NotFound

#: the app was not asked, or is no more: what it is to be told is kept, without an attempt used up
PARKING = frozenset(
    {
        FailureKind.PAUSED,
        FailureKind.STOPPED,
        FailureKind.GONE,
        FailureKind.NO_CODE,
        FailureKind.OVERLOADED,
    }
)

_HOOKS = {hook.name: hook for hook in HOOKS}


class Courier:
    """Carries deliveries to apps; see `mymozhem.deliveries.carrying.Ask`."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock, settings: Settings) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._settings = settings

    async def __call__(self, delivery: Delivery, /) -> Result:
        """Have the app told, with the same question under the same id as every time."""
        hook = _HOOKS.get(delivery.hook)
        if hook is None:
            message = f"This version of the platform has no hook {delivery.hook}."
            return Result(Carried.FAILED, "UNKNOWN_HOOK", message)
        try:
            context = Context.model_validate(delivery.context)
            request = hook.request.model_validate(delivery.request)
        except ValidationError:
            message = "This version of the platform cannot read what was to be told."
            return Result(Carried.FAILED, "UNREADABLE", message)
        try:
            outcome = await self._dispatcher.call(
                hook,
                app=AppTarget(delivery.app_id, delivery.app_version),
                context=context,
                request=request,
                budget=Budget(self._clock, self._settings.max_deadline_ms),
                call_id=delivery.id,
                attempt=delivery.attempt,
                max_attempts=delivery.max_attempts,
                occurred_at=delivery.occurred_at,
            )
        except NotFound as error:  # another process knows the app already
            return Result(Carried.PARKED, error.code, error.message)
        return result_of(outcome)


def result_of(outcome: Outcome[BaseModel]) -> Result:
    """Return what an outcome means for a delivery."""
    failure = outcome.failure
    if failure is None:
        return Result(Carried.DELIVERED)
    if failure.kind is FailureKind.ACCEPTED:
        return Result(Carried.ACCEPTED)
    carried = Carried.PARKED if failure.kind in PARKING else Carried.FAILED
    return Result(carried, failure.code, failure.message)
