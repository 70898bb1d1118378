"""Connect deliveries with the dispatcher: send them as calls, and return the results."""

from datetime import timedelta

from pydantic import BaseModel, ValidationError

from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import HOOKS, Context
from mymozhem.deliveries.callbacks import Callbacks
from mymozhem.deliveries.delivery import Delivery, Result
from mymozhem.deliveries.delivery import Outcome as Carried
from mymozhem.deliveries.relay import Relay
from mymozhem.deliveries.retention import Retention
from mymozhem.deliveries.retry_schedule import Schedules
from mymozhem.dispatch.dispatcher import Dispatcher
from mymozhem.dispatch.outcome import FailureKind, Outcome
from mymozhem.dispatch.policy import Budget
from mymozhem.dispatch.transports.base import AppTarget
from mymozhem.errors import NotFound
from mymozhem.rooms.core.services import Services

#: the app was not called, or is gone: its deliveries are kept, and no attempt is used up
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


class AppDeliverySender:
    """Sends deliveries to apps; see `mymozhem.deliveries.delivery.DeliverySender`."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock, settings: Settings) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._settings = settings

    async def __call__(self, delivery: Delivery, /) -> Result:
        """Call the app, with the same request and the same id in every attempt."""
        hook = _HOOKS.get(delivery.hook)
        if hook is None:
            message = f"This version of the platform has no hook {delivery.hook}."
            return Result(Carried.FAILED, "UNKNOWN_HOOK", message)
        try:
            context = Context.model_validate(delivery.context)
            request = hook.request.model_validate(delivery.request)
        except ValidationError:
            message = "This version of the platform cannot read the delivery."
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
    """Return the result of a delivery for the outcome of its call."""
    failure = outcome.failure
    if failure is None:
        return Result(Carried.DELIVERED)
    if failure.kind is FailureKind.ACCEPTED:
        return Result(Carried.ACCEPTED)
    carried = Carried.PARKED if failure.kind in PARKING else Carried.FAILED
    return Result(carried, failure.code, failure.message)


def relay_of(services: Services) -> Relay:
    """Return the relay that sends the deliveries of these services' apps."""
    settings = services.settings
    return Relay(
        services.database,
        services.outbox,
        AppDeliverySender(services.dispatcher, services.clock, settings),
        Schedules(services.catalog, settings),
        services.clock,
        keep=Retention(
            delivered=timedelta(days=settings.delivered_days),
            dead=timedelta(days=settings.dead_letter_days),
        ),
        width=settings.deliveries_at_once,
    )


def callbacks_of(services: Services) -> Callbacks:
    """Return the receiver of callbacks for deliveries that apps accepted."""
    schedules = Schedules(services.catalog, services.settings)
    return Callbacks(services.database, services.outbox, schedules)
