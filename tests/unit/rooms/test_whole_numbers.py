"""Whole numbers in any notation, and nothing that is something else in another country."""

import pytest

from mymozhem.rooms.core.whole_numbers import whole_number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0), (5, 5), (5.0, 5), (1e3, 1000), ("5", 5), (" 5 ", 5), ("+5", 5), ("5.0", 5),
        ("5,00", 5), ("1e3", 1000), ("1E+03", 1000), ("1.5e1", 15), ("1 000", 1000),
        ("1\u00a0000", 1000), ("1\u202f000", 1000), ("1'000", 1000), ("1\u2019000", 1000),
        ("1 000 000", 1_000_000), ("\u0665", 5), ("\uff15", 5), ("2500.000", 2500), ("007", 7),
    ],
)  # fmt: skip
def test_a_whole_number_is_read(value: float | str, number: int):
    assert whole_number(value) == number


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, -1, -1.0, 1.5, float("inf"), float("nan"), "", "many", "-1", "1.5",
        "1,000", "1.000", "1,00,000", "10 00", "1e-3", "1.25e1", "0x10", "5 tickets", "1e999",
        "9" * 41, [5], {"n": 5},
    ],
)  # fmt: skip
def test_anything_else_is_not(value: object):
    assert whole_number(value) is None  # type: ignore[arg-type]  any JSON
