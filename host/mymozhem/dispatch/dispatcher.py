"""The dispatcher: every call of every hook goes through here."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from mymozhem.clock import Clock
from mymozhem.config import Settings
from mymozhem.contract import Context, DecidedBy, Hook, Refusal, Strategy
from mymozhem.db.base import new_id
from mymozhem.db.unit_of_work import in_transaction
from mymozhem.registry.endpoint import Endpoint
from mymozhem.registry.loaded_code import IsolatedCode

from .breakers.breaker import Key, Verdict
from .breakers.failure_classes import is_unfair, verdict_of
from .breakers.registry import Breakers
from .lock_drift import drift_of
from .loop_blocks import LoopBlocks
from .observers import CallObservers, Listener, observed
from .older_contracts import as_of
from .outcome import BadAnswer, CallFailed, FailureKind, Outcome
from .policy import DECIDES, Budget, Declared, Policy, deadline_ms
from .reply_codec import decode
from .transports.base import AppTarget, HookCall, Reply, Transport
from .transports.inprocess import CodeSource, InProcess
from .transports.late_replies import LateReplyTransport
from .transports.model_copies import with_values

#: concurrent calls of one app; the rest wait, within their deadlines
CALLS_AT_ONCE = 16

# Checked first: to build a log line that nobody reads costs as much as the rest of a call.
_debugging = logging.getLogger(__name__)
logger = structlog.stdlib.get_logger(__name__)

Req = TypeVar("Req", bound=BaseModel)
Res = TypeVar("Res", bound=BaseModel)
Check = Callable[[Res], None]


class Apps(CodeSource, Protocol):
    """What the dispatcher needs of the registry; answered from memory, never from the database."""

    def manifest(self, app_id: str, version: str, /) -> Declared:
        """Return the manifest of a published version; raises `NotFound`."""
        ...

    def endpoint(self, app_id: str, version: str, /) -> Endpoint | None:
        """Return the address of a remote app; None for a plugin."""
        ...

    def isolated_for(self, app_id: str, version: str, /) -> IsolatedCode | None:
        """Return the environment that serves a version if nothing else does; else None."""
        ...

    def is_stopped(self, app_id: str, /) -> bool:
        """Return whether the operator, or the app itself, has ended calls to this app."""
        ...


class Dispatcher:
    """Calls apps, each within its deadline, and falls back if they fail; used from one event loop.

    Without `remote` and `isolated`, only apps in this process can be called. Without `breakers`,
    every call of a failing app is made.
    """

    def __init__(
        self,
        apps: Apps,
        clock: Clock,
        settings: Settings,
        *,
        remote: Transport | None = None,
        isolated: Transport | None = None,
        breakers: Breakers | None = None,
        observers: CallObservers | None = None,
    ) -> None:
        self._apps = apps
        self._clock = clock
        self._cap_ms = settings.max_deadline_ms
        self._observers = observers or CallObservers()
        self._blocks = LoopBlocks(self._observers.reports)
        self._inside: Transport = InProcess(apps, measured=self._blocks.measured)
        self._remote = LateReplyTransport(remote) if remote is not None else None
        self._isolated = LateReplyTransport(isolated) if isolated is not None else None
        self._breakers = breakers
        self._policies: dict[tuple[str, str, str], Policy | None] = {}
        self._places: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(CALLS_AT_ONCE)
        )

    async def call(  # noqa: PLR0913  all parts of a call, by name
        self,
        hook: Hook[Req, Res],
        *,
        app: AppTarget,
        context: Context,
        request: Req,
        budget: Budget,
        call_id: str | None = None,
        check: Check[Res] | None = None,
        attempt: int = 1,
        max_attempts: int = 1,
        occurred_at: datetime | None = None,
    ) -> Outcome[Res]:
        """Call a hook of an app and return the result and who decided; see `Outcome`.

        The deadline is the least of the manifest's, the operator's and what `budget` has left; it
        includes the wait for a slot. `context` gets the call id and the deadline. `check` examines
        the meaning of a valid result, and raises `BadAnswer` if it must count as a failure. To
        retry after a timeout, pass the same `call_id`, the same request and the next `attempt`.
        Failures of the app do not raise. Raises `NotFound` for a version that was never published,
        `RuntimeError` inside a transaction.
        """
        _guard(hook, request)
        policy, started = self._policy(hook, app), self._clock.monotonic()
        held_up_ms = self._blocks.held_up_ms(app.app_id)
        call_id = call_id or new_id("call")
        if policy is None:
            return Outcome(DecidedBy.PLATFORM, call_id)
        within_ms = deadline_ms(policy, cap_ms=self._cap_ms, budget=budget)
        request = as_of(request, context.contract)
        call_context = with_values(context, {"call_id": call_id, "deadline_ms": within_ms})
        late = self._late(hook, app, context, call_id)
        call = HookCall(
            hook,
            app,
            call_context,
            request,
            attempt,
            max_attempts,
            occurred_at=occurred_at,
            late=late,
        )
        failed = None
        try:
            answer: Res | Refusal | None = await self._answer(hook, call, policy, check)
            decided_by = DecidedBy.APP
        except CallFailed as error:
            failed = error
            decided_by, answer = _instead(hook, policy, check)
        if late is not None:
            late.decided_by, late.decided_at = decided_by, self._clock.monotonic()
        held_up_ms = self._blocks.held_up_ms(app.app_id) - held_up_ms
        took_ms = max(0.0, (self._clock.monotonic() - started) * 1000 - held_up_ms)
        outcome = _outcome(decided_by, answer, call_id, failed, took_ms)
        self._tell(call, outcome, failed)
        return outcome

    async def close(self) -> None:
        """Release the resources of every app without waiting for any. Idempotent."""
        await self._inside.close()
        for outside in (self._remote, self._isolated):
            if outside is not None:
                await outside.close()

    def _policy(self, hook: Hook[BaseModel, BaseModel], app: AppTarget) -> Policy | None:
        """Return the manifest's policy, None if the app does not implement the hook."""
        key = (app.app_id, app.version, hook.name)
        if key not in self._policies:  # a published manifest never changes
            manifest = self._apps.manifest(app.app_id, app.version)
            taken = hook.capability in manifest.called
            self._policies[key] = manifest.policy(hook) if taken else None
        return self._policies[key]

    async def _answer(
        self, hook: Hook[Req, Res], call: HookCall, policy: Policy, check: Check[Res] | None
    ) -> Res | Refusal:
        """Call the app if its breaker admits the call, and report the result to the breaker."""
        name, within_ms = call.app.app_id, call.context.deadline_ms
        if self._apps.is_stopped(name):
            raise CallFailed(FailureKind.STOPPED, f"{name} was stopped by the operator.")
        if self._breakers is None:
            return _checked(decode(hook, await self._send(call, within_ms, policy)), check)
        asked_at = self._clock.monotonic()
        permit = await self._breakers.admit(Key(name, call.app.version, hook.capability))
        if permit is None:
            message = f"{name} failed too often recently; it is called again in a moment."
            raise CallFailed(FailureKind.PAUSED, message)
        verdict, code = Verdict.NEUTRAL, None  # in case the caller is cancelled before the reply
        try:
            # A trial waits for the database, which uses up the caller's time too.
            waited_ms = int((self._clock.monotonic() - asked_at) * 1000)
            call = _within(call, max(0, within_ms - waited_ms))
            within_ms = call.context.deadline_ms
            answer = _checked(decode(hook, await self._send(call, within_ms, policy)), check)
            verdict = Verdict.SUCCESS
        except CallFailed as error:
            kind, code = error.failure.kind, error.failure.code
            verdict = verdict_of(kind, within_ms=within_ms, timeout_ms=policy.timeout_ms)
            raise
        finally:
            permit.report(verdict, code)
        return answer

    async def _send(self, call: HookCall, within_ms: int, policy: Policy) -> Reply:
        name = call.app.app_id
        if within_ms <= 0:
            raise CallFailed(FailureKind.BUDGET_SPENT, f"No time was left to call {name}.")
        transport = self._transport(call)
        place = self._places[name]
        must_wait, asked = place.locked(), False
        try:
            async with asyncio.timeout(within_ms / 1000) as deadline:
                with self._blocks.waiting(name, deadline):
                    async with place:
                        asked = True
                        reply = await transport.send(_left(call, deadline) if must_wait else call)
        except TimeoutError:
            if not asked:
                message = f"{name} has too many calls running."
                raise CallFailed(FailureKind.OVERLOADED, message) from None
            if is_unfair(within_ms, timeout_ms=min(policy.timeout_ms, self._cap_ms)):
                message = f"Others had left {within_ms} ms of the request's time to call {name}."
                raise CallFailed(FailureKind.BUDGET_SPENT, message) from None
            message = f"{name} did not answer {call.hook.name} within {within_ms} ms."
            raise CallFailed(FailureKind.TIMEOUT, message) from None
        self._compare(call, reply)
        return reply

    def _compare(self, call: HookCall, reply: Reply) -> None:
        drifts = self._observers.drifts
        if drifts is not None and (drift := drift_of(call, reply)) is not None:
            drifts.drifted(drift)

    def _transport(self, call: HookCall) -> Transport:
        app_id, version = call.app.app_id, call.app.version
        outside: Transport | None
        if self._apps.endpoint(app_id, version) is not None:
            outside, what = self._remote, "a remote app"
        elif self._apps.isolated_for(app_id, version) is not None:
            outside, what = self._isolated, "in an environment of its own"
        else:
            return self._inside
        if outside is None:
            message = f"{app_id} {version} is {what}, and this process reaches none."
            raise CallFailed(FailureKind.NO_CODE, message)
        return outside

    def _late(
        self, hook: Hook[BaseModel, BaseModel], app: AppTarget, context: Context, call_id: str
    ) -> Listener | None:
        # Notifications are retried until the app has them: nothing else decides, so none is late.
        # (A late answer is in the room's log, and the app is notified of its log.)
        if self._observers.late is None or not hook.asked:
            return None
        room_id = context.room.id if context.room is not None else None
        return Listener(self._observers.late, self._clock, hook, app, call_id, room_id)

    def _tell(self, call: HookCall, outcome: Outcome[BaseModel], failed: CallFailed | None) -> None:
        _log(call, outcome, failed)
        kind = failed.failure.kind if failed is not None else None
        if kind is FailureKind.GONE and self._observers.gone is not None:
            self._observers.gone(call.app)
        if self._observers.observer is not None:
            self._observers.observer.observed(observed(call, outcome, kind))


def _guard(hook: Hook[BaseModel, BaseModel], request: BaseModel) -> None:
    if in_transaction():
        msg = "an app is called while a transaction is open; use run_exchange"
        raise RuntimeError(msg)
    if not isinstance(request, hook.request):
        msg = f"{hook.name} takes {hook.request.__name__}, not {type(request).__name__}"
        raise TypeError(msg)


def _left(call: HookCall, deadline: asyncio.Timeout) -> HookCall:
    """Return the call with the time that is left after the wait for a slot."""
    left = (deadline.when() or 0.0) - asyncio.get_running_loop().time()
    return _within(call, max(0, round(left * 1000)))


def _within(call: HookCall, left_ms: int) -> HookCall:
    if left_ms == call.context.deadline_ms:
        return call
    return call._replace(context=with_values(call.context, {"deadline_ms": left_ms}))


def _checked(answer: Res | Refusal, check: Check[Res] | None) -> Res | Refusal:
    if check is not None and not isinstance(answer, Refusal):
        _require(answer, check)
    return answer


def _require(answer: Res, check: Check[Res]) -> None:
    try:
        check(answer)
    except BadAnswer as bad:
        raise CallFailed(FailureKind.BAD_RESULT, bad.message, code=bad.code) from bad


def _instead(
    hook: Hook[BaseModel, Res], policy: Policy, check: Check[Res] | None
) -> tuple[DecidedBy, Res | Refusal | None]:
    """Return the manifest's fallback; a literal that is invalid here decides nothing."""
    if policy.on_failure is not Strategy.FALLBACK:
        return DECIDES[policy.on_failure], None
    try:
        literal = hook.result.model_validate(policy.fallback)
        return DecidedBy.FALLBACK, _checked(literal, check)
    except (ValidationError, CallFailed):
        logger.warning("the manifest's fallback is invalid", hook=hook.name, exc_info=True)
        return DecidedBy.NOBODY, None


def _outcome(
    decided_by: DecidedBy,
    answer: Res | Refusal | None,
    call_id: str,
    failed: CallFailed | None,
    duration_ms: float,
) -> Outcome[Res]:
    failure = failed.failure if failed else None
    if isinstance(answer, Refusal):
        return Outcome(decided_by, call_id, None, answer, failure, duration_ms)
    return Outcome(decided_by, call_id, answer, None, failure, duration_ms)


def _log(call: HookCall, outcome: Outcome[BaseModel], failed: CallFailed | None) -> None:
    if failed is None and not _debugging.isEnabledFor(logging.DEBUG):
        return
    facts = {
        "call_id": outcome.call_id,
        "app": call.app.app_id,
        "version": call.app.version,
        "hook": call.hook.name,
        "duration_ms": round(outcome.duration_ms, 3),
        "decided_by": outcome.decided_by.value,
    }
    if failed is None:
        logger.debug("hook answered", refused=outcome.refusal is not None, **facts)
        return
    logger.warning(
        "hook failed",
        code=failed.failure.code,
        message=failed.failure.message,
        **facts,
        exc_info=failed.__cause__,
    )
