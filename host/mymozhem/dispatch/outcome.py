"""The outcome of a call: a result, a refusal, or a typed failure and who decided instead."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from pydantic import BaseModel

from mymozhem.contract import DecidedBy, Refusal
from mymozhem.errors import Refused, Unavailable

Res_co = TypeVar("Res_co", bound=BaseModel, covariant=True)

#: a message may quote the app at any length; it goes into logs and mails
LONGEST_MESSAGE = 2_000


class FailureKind(StrEnum):
    """Why there is no usable result of an app; the value is the code that clients read."""

    TIMEOUT = "APP_TIMEOUT"  #: no reply within the deadline: the result is unknown, not a refusal
    RAISED = "APP_FAILED"  #: the app raised something other than `Refuse`
    BAD_RESULT = "APP_BAD_RESULT"  #: the result breaks the schema, the size limit or a rule
    OVERLOADED = "APP_OVERLOADED"  #: too many of the app's calls are running or blocked
    BUDGET_SPENT = "APP_BUDGET_SPENT"  #: earlier hooks used up the time of the request
    NO_CODE = "APP_ORPHANED"  #: no installed code serves the locked version
    NOT_IMPLEMENTED = "APP_NOT_IMPLEMENTED"  #: the code lacks a hook that the manifest declares
    UNREACHABLE = "APP_UNREACHABLE"  #: no connection to the app: refused, reset, no TLS, no name
    BAD_STATUS = "APP_BAD_STATUS"  #: the app's server failed: 5xx, 408, 429, or a redirect
    MISCONFIGURED = "APP_MISCONFIGURED"  #: 401, 403, 404, or an address that may not be reached
    REFUSED_CALL = "APP_REFUSED_CALL"  #: 400, 409, 413 or 422: the app did not take this call
    GONE = "APP_GONE"  #: 410: the app says that it no longer exists
    PAUSED = "APP_PAUSED"  #: it failed too often recently and is not called for a while
    STOPPED = "APP_STOPPED"  #: the operator has stopped the app
    ACCEPTED = "APP_ACCEPTED"  #: 202: the app accepted the call; its result comes later


_SLOW = "The app of this room did not answer in time."
_AWAY = "The app of this room does not answer at the moment."
_BROKEN = "The app of this room made a mistake."
#: what participants read of a failure
_PLAINLY = {
    FailureKind.TIMEOUT: _SLOW,
    FailureKind.OVERLOADED: _SLOW,
    FailureKind.BUDGET_SPENT: _SLOW,
    FailureKind.NO_CODE: _AWAY,
    FailureKind.UNREACHABLE: _AWAY,
    FailureKind.BAD_STATUS: _AWAY,
    FailureKind.MISCONFIGURED: _AWAY,
    FailureKind.GONE: _AWAY,
    FailureKind.PAUSED: _AWAY,
    FailureKind.STOPPED: _AWAY,
}


@dataclass(frozen=True)
class Failure:
    """Why the app did not decide: a code for programs, a sentence for people, no stack trace.

    `code` is that of the kind, unless a `check` rejected the result with a code of its own.
    """

    kind: FailureKind
    message: str
    code: str


class BadAnswer(Exception):
    """Raise this from a `check`: the result fits its schema, but its meaning is invalid.

    It then counts as a failure of the app, and the fallback decides.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message[:LONGEST_MESSAGE]
        super().__init__(f"{code}: {self.message}")


class CallFailed(Exception):
    """A call has no usable result; transports raise it, the dispatcher makes it an outcome.

    `status` is the HTTP status of the response, if there is one.
    """

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
    ) -> None:
        self.failure = Failure(kind, message[:LONGEST_MESSAGE], code or kind.value)
        self.status = status
        super().__init__(f"{self.failure.code}: {self.failure.message}")


@dataclass(frozen=True)
class Outcome(Generic[Res_co]):
    """Who decided a call, and the result.

    ============ ======== ========= ========= ====================================================
    decided_by   result   refusal   failure   means
    ============ ======== ========= ========= ====================================================
    APP          set                          the app returned a result
    APP                   set                 the app refused: 409 to the caller, nothing applied
    FALLBACK     set                set       the manifest's literal value is the result
    PLATFORM                        set       the caller applies the host's own default
    PLATFORM                                  the same: the app does not implement this hook
    CACHE                           set       the caller applies rules that it has cached
    REVIEW                          set       the caller leaves the decision to an organizer
    HOLD                            set       the caller pauses visibly until the app is back
    QUEUE                           set       the caller keeps its durable row and retries later
    NOBODY                          set       the caller fails (`raise_if_failed`)
    ============ ======== ========= ========= ====================================================

    `result` is None exactly if the caller decides what happens. To retry, pass the same `call_id`
    and the same request. `duration_ms` is the duration of the call.
    """

    decided_by: DecidedBy
    call_id: str
    result: Res_co | None = None
    refusal: Refusal | None = None
    failure: Failure | None = None
    duration_ms: float = 0.0

    def raise_if_failed(self, *, for_staff: bool = False) -> None:
        """Raise `Unavailable` (503, the failure's code) if nobody decided; else do nothing.

        The message names the fault only `for_staff`: participants cannot do anything about it.
        """
        if self.failure is None or self.decided_by is not DecidedBy.NOBODY:
            return
        said = self.failure.message if for_staff else _PLAINLY.get(self.failure.kind, _BROKEN)
        raise Unavailable(
            f"{said} Nothing was changed; try again in a moment.",
            code=self.failure.code,
            details={"callId": self.call_id},
        )

    def raise_if_refused(self) -> None:
        """Raise `Refused` (409) with the app's message if it refused; else do nothing."""
        if self.refusal is not None:
            raise Refused(
                self.refusal.message, code=self.refusal.code, details=self.refusal.details
            )
