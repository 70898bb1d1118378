"""Waits between attempts: where they start, how they grow, and that they end at the longest."""

import pytest

from mymozhem.concurrency.backoff import Backoff


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        (Backoff(0.5, 60), [0.5, 1, 2, 4, 8, 16, 32, 60, 60]),
        (Backoff(30, 3_600, growth=20), [30, 600, 3_600, 3_600]),
        (Backoff(10, 25, shape="linear"), [10, 20, 25, 25]),
        (Backoff(10, 25, shape="fixed"), [10, 10, 10]),
        (Backoff(90, 60), [60, 60]),
        (Backoff(0, 60), [0, 0, 0]),
    ],
)
def test_waits_grow_by_their_shape_up_to_the_longest(backoff, waits):
    assert [backoff.seconds(failures) for failures in range(1, len(waits) + 1)] == waits


@pytest.mark.parametrize("first", [0, 0.5])
def test_any_number_of_failures_has_a_wait(first):
    assert Backoff(first, 60, growth=20).seconds(1_000_000) == (60 if first else 0)
