"""What a failed call says about the health of the app."""

from mymozhem.dispatch.outcome import FailureKind

from .breaker import Verdict

#: failures that say nothing about the app: it was not asked, or it was asked wrongly
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

#: the part of its deadline that an app must have had for a timeout to count against it
_FAIR_PART = 4


def verdict_of(kind: FailureKind, *, within_ms: int, timeout_ms: int) -> Verdict:
    """Return what a failure counts as; `within_ms` is what the app had of its `timeout_ms`."""
    if kind in _NEUTRAL:
        return Verdict.NEUTRAL
    if kind is FailureKind.ACCEPTED:
        return Verdict.SUCCESS
    if kind is FailureKind.TIMEOUT and within_ms * _FAIR_PART < timeout_ms:
        return Verdict.NEUTRAL
    return Verdict.FAILURE
