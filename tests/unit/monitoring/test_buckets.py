"""Percentiles from buckets are those of the values, within the width of a bucket."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mymozhem.monitoring.duration_buckets import BOUNDS, DurationBuckets, bucket_of, percentile

DURATIONS = st.lists(st.floats(min_value=0, max_value=30_000), min_size=1, max_size=300)


def exact(values: list[float], share: float) -> float:
    """The nearest-rank percentile of the values themselves."""
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def edges(value: float) -> tuple[float, float]:
    bucket = bucket_of(value)
    return (BOUNDS[bucket - 1] if bucket else 0.0), BOUNDS[bucket]


@given(DURATIONS, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_lies_in_the_bucket_of_the_exact_one(values, share):
    found = percentile(Counter(map(bucket_of, values)), share)
    low, high = edges(exact(values, share))
    assert found is not None
    assert low <= found <= high


@given(DURATIONS)
def test_percentiles_do_not_fall_and_the_mean_is_exact(values):
    spread = DurationBuckets.of(Counter(map(bucket_of, values)), sum(values))
    assert spread.p50_ms <= spread.p95_ms <= spread.p99_ms
    assert spread.mean_ms == pytest.approx(sum(values) / len(values))


def test_what_took_longer_than_every_bound_counts_as_the_last_one():
    assert percentile({bucket_of(90_000): 3}, 0.5) == BOUNDS[-1]


def test_without_calls_there_is_nothing_to_say():
    assert DurationBuckets.of({}, 0.0) == DurationBuckets(None, None, None, None)


@pytest.mark.parametrize(("duration", "bucket"), [(0, 0), (1, 0), (1.01, 1), (30_000, 24)])
def test_a_bucket_holds_what_took_at_most_its_bound(duration, bucket):
    assert bucket_of(duration) == bucket
