"""What a failed call says about the health of the app."""

from mymozhem.dispatch.outcome import FailureKind

from .breaker import Verdict

#: failures that say nothing about the app: it was not called, or the call was invalid
_NEUTRAL = frozenset(
    {
        FailureKind.BUDGET_SPENT,
        FailureKind.NO_CODE,
        FailureKind.NOT_IMPLEMENTED,
        FailureKind.OVERLOADED,
        FailureKind.PAUSED,
        FailureKind.REFUSED_CALL,
        FailureKind.STOPPED,
    }
)

#: a timeout counts against an app only if it had this part of its deadline
_FAIR_PART = 4


def is_unfair(within_ms: int, *, timeout_ms: int) -> bool:
    """Return whether an app had too little of its deadline, so that a timeout is not its fault."""
    return within_ms * _FAIR_PART < timeout_ms


def verdict_of(kind: FailureKind, *, within_ms: int, timeout_ms: int) -> Verdict:
    """Return the verdict of a failure; `within_ms` is the part of `timeout_ms` that the app had."""
    if kind in _NEUTRAL:
        return Verdict.NEUTRAL
    if kind is FailureKind.ACCEPTED:
        return Verdict.SUCCESS
    if kind is FailureKind.TIMEOUT and is_unfair(within_ms, timeout_ms=timeout_ms):
        return Verdict.NEUTRAL
    return Verdict.FAILURE
