"""Observers of calls: of finished calls, late answers, drifts, and apps that are gone."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from mymozhem.clock import Clock
from mymozhem.contract import DecidedBy, Hook
from mymozhem.observability.call_observer import AppReport, CallObserver, Observed

from .late_answers import LateAnswer, LateSink
from .lock_drift import DriftSink
from .outcome import CallFailed, FailureKind, Outcome
from .reply_codec import decode
from .transports.base import AppTarget, HookCall, Reply

#: failures of calls that never reached the app
_UNASKED = frozenset(
    {
        FailureKind.BUDGET_SPENT,
        FailureKind.NO_CODE,
        FailureKind.OVERLOADED,
        FailureKind.PAUSED,
        FailureKind.STOPPED,
    }
)


@dataclass(frozen=True)
class CallObservers:
    """The observers of calls: each must not block and never raises.

    `observer` receives every finished call, `late` the answers after their deadlines, `drifts`
    the replies for a different lock than the room's. `gone` receives the versions of apps that
    replied that they no longer exist (410), `reports` what apps do wrong besides their replies.
    """

    observer: CallObserver | None = None
    late: LateSink | None = None
    drifts: DriftSink | None = None
    gone: Callable[[AppTarget], None] | None = None
    reports: Callable[[AppReport], None] | None = None


@dataclass
class Listener:
    """Receives the late reply to one call; `decided_by` is set by then."""

    sink: LateSink
    clock: Clock
    hook: Hook[BaseModel, BaseModel]
    app: AppTarget
    call_id: str
    room_id: str | None
    decided_by: DecidedBy | None = None
    decided_at: float = 0.0

    def __call__(self, reply: Reply) -> None:
        """Pass a reply to the sink, if something else has decided by now."""
        if self.decided_by is None:
            return  # the caller was cancelled before anything decided
        data: bytes | None = reply.data
        try:
            decode(self.hook, reply)
        except CallFailed:
            data = None
        self.sink.late(
            LateAnswer(
                self.call_id, self.app.app_id, self.app.version, self.hook.name, self.room_id,
                self.decided_by, data, reply.refused,
                (self.clock.monotonic() - self.decided_at) * 1000,
            )
        )  # fmt: skip


def observed(call: HookCall, outcome: Outcome[BaseModel], kind: FailureKind | None) -> Observed:
    """Return the record of a call; `kind` is why the app failed, None if it did not."""
    room = call.context.room
    return Observed(
        app_id=call.app.app_id,
        version=call.app.version,
        capability=call.hook.capability,
        hook=call.hook.name,
        room_id=room.id if room is not None else None,
        result="failure" if kind is not None else "refusal" if outcome.refusal else "success",
        failure_code=outcome.failure.code if outcome.failure is not None else None,
        decided_by=outcome.decided_by,
        duration_ms=outcome.duration_ms,
        deadline_ms=call.context.deadline_ms,
        attempt=call.attempt,
        reached=kind not in _UNASKED,
    )
