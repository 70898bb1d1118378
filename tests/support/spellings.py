"""Ways to write the same eight numbers, for somebody who wants to choose among their hashes."""

from itertools import islice, permutations

NUMBERS = [4, 8, 15, 16, 23, 42, 44, 49]
#: their one canonical form
EIGHT = "4.8.15.16.23.42.44.49."

_SEPARATORS = (
    " ", "  ", ",", ", ", ";", "; ", ".", ". ", "\t", "\n", " , ", "-", " - ", "–", "/", "|", "+",
    "_", " and ", "\u00a0", "\u2009",
)  # fmt: skip


def _in_digits_from(zero: int) -> str:
    """Return the numbers in the digits of another script."""
    return " ".join(map(str, NUMBERS)).translate({48 + n: zero + n for n in range(10)})


def _spellings() -> list[str | list[int]]:
    joined = [separator.join(map(str, NUMBERS)) for separator in _SEPARATORS]
    padded = [" ".join(f"{number:0{width}}" for number in NUMBERS) for width in (2, 3, 8)]
    plain = joined[0]
    around = [f" {plain}", f"{plain} ", f"[{plain}]", f"{plain},", f"{plain}.", f"#{plain}"]
    orders = [" ".join(map(str, order)) for order in islice(permutations(NUMBERS), 1, 9)]
    lists = [list(order) for order in islice(permutations(NUMBERS), 6)]
    others = [
        "four eight fifteen sixteen twenty-three forty-two forty-four forty-nine",
        "IV VIII XV XVI XXIII XLII XLIV XLIX",
        _in_digits_from(0x0660),
        _in_digits_from(0xFF10),
        "0x4 0x8 0xf 0x10 0x17 0x2a 0x2c 0x31",
        "4.0 8.0 15.0 16.0 23.0 42.0 44.0 49.0",
        "+4 +8 +15 +16 +23 +42 +44 +49",
        EIGHT,
        EIGHT.removesuffix("."),
    ]
    return list(
        {str(each): each for each in (*joined, *padded, *around, *orders, *lists, *others)}.values()
    )


SPELLINGS = _spellings()
