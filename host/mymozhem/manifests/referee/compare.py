"""Compare all parts of two manifests, one after the other."""

import re
from collections.abc import Iterator
from dataclasses import replace

from pydantic import JsonValue

from mymozhem.contract import JsonObject
from mymozhem.manifests.json_pointer import find
from mymozhem.manifests.model import Manifest

from .change_codes import change
from .json_values import differences
from .manifest_parts import PARTS
from .model import Change, Diff

_UNNAMED = frozenset({"/meta/version"})
#: parts that have a meaning if absent, or whose order does not matter: their rules know it
_SPELLED_OUT = re.compile(
    r"/(capabilities|changes|contract|id|manifestVersion|permissions|registration|serves|settings"
    r"|state|ui|actions(/[^/]+/(batch|confirm|payload|roles|when))?"
    r"|events(/[^/]+/(payload|visibility))?|(imports|needs)(/[^/]+)?)"
)


def compare(old: Manifest, new: Manifest) -> Diff:
    """Return the differences of two valid manifests, the largest class first; pure, never raises.

    The version itself is no change. At least one change covers each difference. A difference that
    no rule knows is major, because its effect is unknown.
    """
    changes = [each for part in PARTS.values() for each in part(old, new)]
    changes += _passed_over(old.document, new.document, changes)
    placed = (_placed(each, old.document, new.document) for each in changes)
    ranked = sorted(placed, key=lambda each: -each.bump.rank)
    return Diff(old.version, new.version, tuple(ranked))


def _passed_over(old: JsonObject, new: JsonObject, changes: list[Change]) -> Iterator[Change]:
    changed = {each.pointer for each in changes}
    above = {at for place in changed for at in _above(place)}
    for place in differences(old, new):
        if place in _UNNAMED or place in above or not changed.isdisjoint(_above(place)):
            continue
        before, after = _find(old, place), _find(new, place)
        if _SPELLED_OUT.fullmatch(place):
            message = "The same, written differently or in another order"
            yield change("SAME_MEANING", place, message, (before, after))
        else:
            message = "A part that the referee does not know changed"
            yield change("PART_UNKNOWN", place, message, (before, after))


def _placed(found: Change, old: JsonObject, new: JsonObject) -> Change:
    """Return the change with a pointer that exists in a document: a missing schema has no parts."""
    for place in _above(found.pointer):
        if _stands(new, place) or _stands(old, place):
            return found if place == found.pointer else replace(found, pointer=place)
    return found


def _stands(document: JsonObject, place: str) -> bool:
    try:
        find(document, place)
    except KeyError:
        return False
    return True


def _above(place: str) -> Iterator[str]:
    """Yield a pointer and the pointers of everything around it."""
    while place:
        yield place
        place = place.rpartition("/")[0]


def _find(document: JsonValue, place: str) -> JsonValue:
    try:
        found = find(document, place)
    except KeyError:
        return None
    return found  # type: ignore[return-value]  # a part of a JSON value is one
