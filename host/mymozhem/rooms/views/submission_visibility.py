"""What a caller may see of a window's submissions. Pure."""

from dataclasses import dataclass
from typing import cast

from pydantic import JsonValue

from mymozhem.contract import Level
from mymozhem.manifests.json_pointer import find
from mymozhem.rooms.core.membership import Membership
from mymozhem.rooms.tables.windows import WindowRow

from .windows import shows_results

WHO = "participantId"
RESULTS = frozenset({"verdict", "points"})
_EVERYTHING = frozenset({"id", WHO, "displayName", "payload", "elapsedMs", "at"}) | RESULTS


@dataclass(frozen=True)
class Visibility:
    """The visible fields of a submission by name, and parts of its payload by JSON Pointer.

    With `parts_only`, a submission without any of these parts is hidden.
    """

    names: frozenset[str]
    pointers: tuple[str, ...] = ()
    parts_only: bool = False

    @property
    def sees_nothing(self) -> bool:
        """Whether nothing is visible."""
        return not (self.names or self.pointers)

    @property
    def ordered(self) -> bool:
        """Whether the commit order is visible: only together with the authors."""
        return WHO in self.names

    def parts(self, payload: JsonValue) -> dict[str, JsonValue]:
        """Return the visible parts of a payload that exist, by pointer."""
        found = {}
        for pointer in self.pointers:
            try:
                found[pointer] = cast("JsonValue", find(payload, pointer))
            except KeyError:
                continue
        return found

    def shows(self, payload: JsonValue) -> bool:
        """Return whether a submission is visible."""
        return not self.parts_only or bool(self.parts(payload))


def visibility_of(membership: Membership, window: WindowRow) -> Visibility:
    """Return what a caller sees of a window: staff everything, others what was shared with them.

    Verdicts and points are hidden from everybody until results are shown.
    """
    hidden = frozenset() if shows_results(window) else RESULTS
    if membership.level is Level.ORGANIZER:
        return Visibility(_EVERYTHING - hidden)
    mine = {str(Level.PUBLIC), membership.participant_id}
    shares = [frozenset(each["fields"]) - hidden for each in window.shared if each["to"] in mine]
    return _lens([each for each in shares if each])


def _lens(shares: list[frozenset[str]]) -> Visibility:
    fields = frozenset[str]().union(*shares)
    pointers = tuple(sorted(each for each in fields if each.startswith("/")))
    return Visibility(fields - set(pointers), pointers, parts_only=all(map(_only_parts, shares)))


def _only_parts(fields: frozenset[str]) -> bool:
    """Return whether only parts were shared, with or without their authors."""
    others = fields - {WHO}
    return bool(others) and all(each.startswith("/") for each in others)
