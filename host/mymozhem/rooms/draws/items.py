"""Draws of an app's own items instead of people: the same chain, rule, record and verifier.

In the record the items stand under `participants`, one ticket each, and the rule has one prize
that nobody can win: its id is `items`, its count is how many are drawn.
"""

from mymozhem.contract import JsonObject, fair
from mymozhem.contract.canonical_json import canonical_json
from mymozhem.rooms.tables.draws import DrawRow

from .entries import FrozenEntries

#: stands for a prize in the rule of a draw of items
ITEMS = "items"

_REVEALED = "revealedItems"


def items_of(request: JsonObject) -> tuple[str, ...] | None:
    """Return the items of a request; None for a draw of people."""
    items = request.get(ITEMS)
    return tuple(map(str, items)) if isinstance(items, list) else None


def count_of(request: JsonObject) -> int:
    """Return how many items a request wants."""
    count = request.get("count")
    return count if isinstance(count, int) else 0


def is_of_items(draw: DrawRow) -> bool:
    """Return whether a draw is one of items."""
    return items_of(draw.request) is not None


def frozen_items(items: tuple[str, ...]) -> FrozenEntries:
    """Return items as the entries of a draw: in canonical order, one ticket each."""
    entries = fair.Entries.canonical(dict.fromkeys(items, 1))
    text = canonical_json(entries.document()).decode()
    return FrozenEntries(text, entries.digest(), entries=len(items), tickets=len(items))


def revealed_count(draw: DrawRow) -> int:
    """Return how many items of a draw are public."""
    count = draw.request.get(_REVEALED)
    return count if isinstance(count, int) else 0


def note_revealed(draw: DrawRow, count: int) -> None:
    """Note how many items of a draw are public."""
    draw.request = draw.request | {_REVEALED: count}


def has_public_part(draw: DrawRow) -> bool:
    """Return whether a part of the result is public already."""
    return bool(draw.revealed_prizes) or revealed_count(draw) > 0
