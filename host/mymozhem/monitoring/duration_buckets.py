"""Histograms of durations, and figures from them. Pure."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

#: the upper bounds of the buckets in milliseconds; one more bucket is for longer calls
BOUNDS: tuple[float, ...] = (
    1, 2, 5, 10, 20, 35, 50, 75, 100, 150, 200, 350, 500, 750, 1_000, 1_500, 2_000, 3_000, 4_000,
    5_000, 7_500, 10_000, 15_000, 20_000, 30_000,
)  # fmt: skip
#: the bucket of calls that did not reach the app: their duration says nothing
NOT_ASKED = -1


def bucket_of(duration_ms: float) -> int:
    """Return the bucket of a duration; each bucket contains durations up to its bound."""
    return bisect_left(BOUNDS, duration_ms)


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """Return the duration that a share (0 to 1) of the calls did not exceed; None without calls.

    The nearest-rank percentile, interpolated inside its bucket: off by at most the width of that
    bucket. Durations above every bound count as the last bound.
    """
    total = sum(counts.values())
    if total == 0:
        return None
    rank = max(1, -int(-share * total // 1))  # the smallest rank that covers the share
    before = 0
    for bucket in sorted(counts):
        inside = counts[bucket]
        if before + inside >= rank:
            return _inside(bucket, (rank - before) / inside)
        before += inside
    return BOUNDS[-1]


@dataclass(frozen=True)
class DurationBuckets:
    """Figures about the durations of calls, in milliseconds; every figure is None without calls."""

    mean_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None

    @classmethod
    def of(cls, counts: Mapping[int, int], total_ms: float) -> "DurationBuckets":
        """Compute the figures from the calls in each bucket and the sum of all durations."""
        calls = sum(counts.values())
        return cls(
            mean_ms=total_ms / calls if calls else None,
            p50_ms=percentile(counts, 0.50),
            p95_ms=percentile(counts, 0.95),
            p99_ms=percentile(counts, 0.99),
        )


def _inside(bucket: int, part: float) -> float:
    if bucket >= len(BOUNDS):
        return BOUNDS[-1]
    low = BOUNDS[bucket - 1] if bucket else 0.0
    return low + (BOUNDS[bucket] - low) * part
