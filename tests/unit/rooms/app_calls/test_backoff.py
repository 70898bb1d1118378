"""When an app that did not answer is asked again."""

import pytest

from mymozhem.rooms.app_calls import backoff


@pytest.mark.parametrize(
    ("attempts", "soon", "parked"),
    [
        (1, 0.5, 60),
        (2, 2, 60),
        (3, 5, 60),
        (4, 60, 60),
        (5, 120, 120),
        (6, 240, 240),
        (7, 480, 480),
        (8, 600, 600),
        (99, 600, 600),
    ],
)
def test_thrice_soon_then_parked_for_longer_and_longer(attempts, soon, parked):
    assert backoff.seconds(attempts) == soon
    assert backoff.seconds(attempts, parked=True) == parked
