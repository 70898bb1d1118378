"""How long a worker rests after it died."""

import pytest

from mymozhem.isolation.restart_backoff import deaths_after, rest_seconds


@pytest.mark.parametrize(
    ("deaths", "seconds"),
    [(0, 0), (1, 0), (2, 0.5), (3, 1), (4, 2), (8, 32), (9, 60), (10, 60), (10_000, 60)],
)
def test_the_first_death_is_free_and_each_further_one_takes_twice_as_long(deaths, seconds):
    assert rest_seconds(deaths) == seconds


@pytest.mark.parametrize(
    ("before", "lived", "after"), [(0, 1, 1), (1, 59.9, 2), (7, 0, 8), (7, 60, 1), (7, 9_999, 1)]
)
def test_who_lived_for_a_minute_begins_anew(before, lived, after):
    assert deaths_after(before, lived) == after
