"""Submissions as a table: a column for each field, and for each part of a payload."""

from dataclasses import dataclass

from pydantic import JsonValue

from mymozhem.contract import JsonObject

from .base import to_json
from .submissions import Listing, SubmissionView

_FIELDS = ("id", "participantId", "displayName", "elapsedMs", "at", "verdict", "points")
_PAYLOAD = "payload"


@dataclass(frozen=True)
class Columns:
    """The columns of a list of submissions; `loose` adds one for values that fit into no other."""

    fields: tuple[str, ...]
    members: tuple[str, ...]
    loose: bool
    pointers: tuple[str, ...]

    @property
    def header(self) -> list[str]:
        """The names of the columns; those of JSON pointers begin with a slash."""
        members = [f"{_PAYLOAD}.{name}" for name in self.members]
        return [*self.fields, *members, *([_PAYLOAD] if self.loose else []), *self.pointers]

    def cells(self, seen: SubmissionView) -> list[JsonValue]:
        """Return a submission as cells."""
        known, payload, parts = to_json(seen), seen.payload, seen.parts or {}
        members = payload if isinstance(payload, dict) else {}
        line = [known.get(name) for name in self.fields]
        line += [members.get(name) for name in self.members]
        if self.loose:
            fits = payload is None if not isinstance(payload, dict) else self._has_all(payload)
            line.append(None if fits else payload)
        return line + [parts.get(pointer) for pointer in self.pointers]

    def _has_all(self, members: JsonObject) -> bool:
        return members.keys() <= set(self.members)


def columns_of(listed: Listing) -> Columns:
    """Return the columns of a list, only those that the caller may see."""
    names = listed.visibility.names
    whole = _PAYLOAD in names
    return Columns(
        fields=tuple(name for name in _FIELDS if name in names),
        members=listed.members if whole else (),
        loose=whole and listed.loose,
        pointers=listed.visibility.pointers,
    )
