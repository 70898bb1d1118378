"""Who may have the places of a relay."""

import pytest

from mymozhem.deliveries.slots import MOST, Slots


@pytest.mark.parametrize(("width", "had"), [(1, 1), (2, 2), (3, 3), (4, 3), (16, 12), (64, MOST)])
def test_one_app_leaves_places_wherever_there_are_some_to_leave(width, had):
    places = Slots(width, ())
    while places.take("a"):
        pass
    assert places.free == width - had
    assert places.full() == ["a"]
    assert places.take("b") is (width > had)


def test_what_is_taken_counts():
    places = Slots(4, ["a", "a", "b"])
    assert (places.free, places.full()) == (1, [])
    assert places.take("a")
    assert places.full() == ["a", "b"]
    assert not places.take("b")
    assert not places.take("c")
