"""Where values differ is told by place, with an example and how often."""

import pytest

from mymozhem.testing.diff import differences


@pytest.mark.parametrize(
    ("before", "after", "places"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["/a"]),
        ({"a": 1}, {}, ["/a"]),
        ({}, {"a": None}, ["/a"]),
        ({"a": [1, 2]}, {"a": [2, 2]}, ["/a/*"]),
        ({"a": [1]}, {"a": [1, 2]}, ["/a"]),
        ({"a": {"b": []}}, {"a": {"b": {}}}, ["/a/b"]),
        ({"a/b": 1, "c": 2}, {"a/b": 2, "c": 3}, ["/a~1b", "/c"]),
        ([], {}, [""]),
    ],
)
def test_a_difference_has_a_place(before, after, places):
    assert [each.place for each in differences([(before, after)])] == places


def test_differences_of_many_pairs_are_told_once():
    pairs = [({"a": [1, 1]}, {"a": [2, 3]}), ({"a": [1]}, {"a": [1]}), ({"a": []}, {})]
    first, second = differences(pairs)
    assert (first.text, first.count) == ("/a/*: 1 came back as 2", 1)
    assert (second.text, second.count) == ("/a: [] came back as nothing", 1)
